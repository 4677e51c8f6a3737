"""What the API and the worker count for whoever operates them: every metric, with its labels.

Labels have few values: methods, reasons, states. Ids of meetings, and organizations, are never among them. Counting
neither waits nor fails. Engines count in ``inference/monitoring.py``, the supervisor in ``cli/monitoring.py``.
"""

from __future__ import annotations

import math

from prometheus_client import Counter, Gauge, Histogram

from monitoring import ObservedGauge

# Calls

CALLS = Counter("meetra_calls", "Calls that ended, by method and gRPC status.", ["method", "status"])
CALL_SECONDS = Histogram(
    "meetra_call_duration_seconds",
    "Duration of single calls; streams have none.",
    ["method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, math.inf),
)
STREAMS_OPEN = Gauge("meetra_streams_open", "Streams that are open, uploads and exports too.", ["method"])
REFUSALS = Counter("meetra_refusals", "Errors that callers were told, by the reason in docs/errors.md.", ["reason"])

# Uploads

UPLOAD_SECONDS = Histogram(
    "meetra_upload_duration_seconds",
    "From the first byte of a recording that was accepted to its acknowledgement, uploads in pieces aside.",
    buckets=(0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, math.inf),
)
UPLOADED_BYTES = Counter("meetra_uploaded_bytes", "Size of the recordings that were accepted, uploads in pieces too.")

# Live meetings

LIVE_MEETINGS = Gauge("meetra_live_meetings", "Live meetings that this process holds, until they are concluded.")
LIVE_TRACKS = Gauge("meetra_live_tracks", "Tracks of these meetings.")
LIVE_UNHEARD_TRACKS = Gauge("meetra_live_unheard_tracks", "Tracks with audio for which no engine has a place.")
_LAGS = (0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, math.inf)
LIVE_TURNS_LAG = Histogram(
    "meetra_live_turns_lag_seconds",
    "How far turns are behind the durable audio: of each track with audio, every two seconds.",
    buckets=_LAGS,
)
LIVE_WORDS_LAG = Histogram(
    "meetra_live_words_lag_seconds", "The same of words, provisional ones included.", buckets=_LAGS
)
LIVE_LAG_NOW = Gauge("meetra_live_lag_seconds", "Lag of the slowest track now, of turns and of words.", ["of"])
LIVE_ACKNOWLEDGED = Counter(
    "meetra_live_audio_acknowledged_seconds",
    "Audio of live tracks that is durable. Where only decoding tells its length, it counts once it is decoded.",
)
LIVE_ANALYSED = Counter(
    "meetra_live_audio_analysed_seconds", "Audio of live tracks of which turns are known; what is repeated counts once."
)
LIVE_STORE_LAG_NOW = Gauge(
    "meetra_live_store_lag_seconds",
    "For how long this disk has had the oldest live audio that the object store lacks; of the meeting furthest behind.",
)
LIVE_STORE_SECONDS = Histogram(
    "meetra_live_store_segment_duration_seconds",
    "Time in which the object store took a segment of a live meeting; their number is the count.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, math.inf),
)
LIVE_STORE_BYTES = Counter("meetra_live_store_bytes", "Size of these segments.")
LIVE_STORE_FAILURES = Counter(
    "meetra_live_store_failures", "Tries to send one that failed; each is tried again until the store has it."
)

# Analyses

JOBS = ObservedGauge("meetra_jobs", "Analyses in the queue of the database, of all workers.", ["state"])
JOBS_OLDEST = ObservedGauge("meetra_jobs_oldest_due_seconds", "For how long the first job that nobody works at is due.")
ANALYSES_RUNNING = Gauge("meetra_analyses_running", "Analyses that this process runs.")
ANALYSES = Counter("meetra_analyses", "Attempts to analyse a meeting that ended, by what became of them.", ["outcome"])
ANALYSIS_SECONDS = Histogram(
    "meetra_analysis_duration_seconds",
    "Duration of the analyses of recordings that became ready, decoding included.",
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, math.inf),
)
ANALYSIS_RTF = Histogram(
    "meetra_analysis_rtf",
    "Duration of these analyses for each second of their meetings.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5, math.inf),
)
ANALYSED_AUDIO = Counter(
    "meetra_analysed_audio_seconds", "Length of the meetings of these analyses, times their tracks."
)

# Webhooks

WEBHOOK_DELIVERIES = Counter("meetra_webhook_deliveries", "Requests to webhooks, by what became of them.", ["outcome"])
WEBHOOK_SECONDS = Histogram(
    "meetra_webhook_delivery_duration_seconds",
    "Duration of requests to webhooks.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, math.inf),
)
WEBHOOKS_PAUSED = Counter("meetra_webhooks_paused", "Webhooks that were paused because nothing could be delivered.")

# Resources

DATABASE_CONNECTIONS = ObservedGauge(
    "meetra_database_connections", "Connections of this process's pool to the database.", ["state"]
)
DATABASE_CONNECTIONS_LIMIT = ObservedGauge("meetra_database_connections_limit", "The most that the pool opens.")
DATABASE_RETRIES = Counter("meetra_database_retries", "Transactions that failed for the database and were tried again.")
MEMORY_AVAILABLE = ObservedGauge(
    "meetra_memory_available_bytes", "Memory that may still be taken, of the machine or of this process's container."
)
MEMORY_RESERVE = ObservedGauge("meetra_memory_reserve_bytes", "Free memory below which new work is refused or waits.")
DISK_FREE = ObservedGauge("meetra_disk_free_bytes", "Free space on the disk of the audio log.")
DISK_RESERVE = ObservedGauge("meetra_disk_reserve_bytes", "Free space below which nothing is accepted or decoded.")
