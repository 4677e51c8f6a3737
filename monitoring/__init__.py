"""How every process tells operators what it does, in numbers and traces, and does not stand still meanwhile."""

from monitoring.collection_pauses import leave_loaded_objects_out_of_collections
from monitoring.exposition import CONTENT_TYPE, MetricsServer, own_metrics
from monitoring.gauge import ObservedGauge
from monitoring.listening import MAX_SOCKET_PATH, METRICS_PATH, checked_listen
from monitoring.memory import MemoryReserve, available_memory
from monitoring.merging import merge
from monitoring.scraping import ScrapeFailed, scrape
from monitoring.tracing import (
    Collector,
    TracingUnavailable,
    batch,
    continue_trace,
    continued_trace,
    current_trace_id,
    current_traceparent,
    describe_step,
    opened_trace,
    origin,
    otlp_collector,
    start_tracing,
    step,
    trace_metadata,
)

__all__ = [
    "CONTENT_TYPE",
    "Collector",
    "MAX_SOCKET_PATH",
    "METRICS_PATH",
    "MemoryReserve",
    "MetricsServer",
    "ObservedGauge",
    "ScrapeFailed",
    "TracingUnavailable",
    "available_memory",
    "batch",
    "checked_listen",
    "continue_trace",
    "continued_trace",
    "current_trace_id",
    "current_traceparent",
    "describe_step",
    "leave_loaded_objects_out_of_collections",
    "merge",
    "origin",
    "opened_trace",
    "otlp_collector",
    "own_metrics",
    "scrape",
    "start_tracing",
    "step",
    "trace_metadata",
]
