"""What the inference server counts for whoever operates it: every metric, with its labels.

Labels have few values: tasks, kinds of sessions, reasons. Counting neither waits nor fails.
"""

from __future__ import annotations

import math

from prometheus_client import Counter, Gauge, Histogram

LIVE, UPLOAD = "live", "upload"

SESSIONS = Gauge("meetra_engine_sessions", "Sessions that are open, by what they serve.", ["kind"])
SESSIONS_LIMIT = Gauge("meetra_engine_sessions_limit", "The most of them at once, of a kind, or of all.", ["kind"])
SESSIONS_ENDED = Counter(
    "meetra_engine_sessions_ended",
    "Sessions that ended: finished, cut by the client or a stop, refused for what they sent, or failed in a model.",
    ["kind", "outcome"],
)
SESSIONS_REFUSED = Counter(
    "meetra_engine_sessions_refused", "Sessions for which there was no place, by the limit that was reached.", ["limit"]
)
LIVE_LAG = Gauge(
    "meetra_engine_live_lag_seconds",
    "How late work of live sessions begins, in their median: of the organization and at the model where most.",
)
LIVE_FULL = Gauge(
    "meetra_engine_live_full", "1 while somebody may open no further live meeting because that work begins too late."
)
AUDIO = Counter("meetra_engine_audio_seconds", "Audio that sessions took.", ["kind"])
SPEECH = Counter("meetra_engine_speech_seconds", "Speech found in it whose words are final.", ["kind"])
WORDLESS_SPEECH = Counter(
    "meetra_engine_speech_without_words_seconds", "The part of this speech in which no word was recognised.", ["kind"]
)

QUEUE_WAIT = Histogram(
    "meetra_engine_queue_wait_seconds",
    "From when work for a model is queued to the start of the call that does it.",
    ["task"],
    buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, math.inf),
)
BATCH_SIZE = Histogram(
    "meetra_engine_batch_items",
    "Items of work in a call of a model.",
    ["task"],
    buckets=(1, 2, 4, 8, 16, 32, 64, math.inf),
)
CALL_SECONDS = Histogram(
    "meetra_engine_call_duration_seconds",
    "Duration of the calls of a model.",
    ["task"],
    buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, math.inf),
)
QUEUED = Gauge("meetra_engine_queue_items", "Items of work for a model that are not done.", ["task"])
FAILED = Counter("meetra_engine_failed_items", "Items of work that a model failed on.", ["task"])


def kind_of(*, live: bool) -> str:
    """Return the label of a session of a live meeting, or of one of an upload."""
    return LIVE if live else UPLOAD
