"""The catalogue of metrics: what each number means, what it is computed from, and how wrong it is known to be."""

from server.metrics.catalogue import METRICS
from server.metrics.metric import KnownError, Metric, Part

__all__ = ["METRICS", "KnownError", "Metric", "Part"]
