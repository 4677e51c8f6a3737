"""How every process tells Prometheus its numbers: what it counts, where it is asked, and many processes as one."""

from monitoring.exposition import CONTENT_TYPE, MetricsServer, own_metrics
from monitoring.gauge import ObservedGauge
from monitoring.listening import MAX_SOCKET_PATH, METRICS_PATH, checked_listen
from monitoring.merging import merge
from monitoring.scraping import ScrapeFailed, scrape

__all__ = [
    "CONTENT_TYPE",
    "MAX_SOCKET_PATH",
    "METRICS_PATH",
    "MetricsServer",
    "ObservedGauge",
    "ScrapeFailed",
    "checked_listen",
    "merge",
    "own_metrics",
    "scrape",
]
