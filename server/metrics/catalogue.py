"""All metrics, in the order in which docs/metrics.md explains them."""

from __future__ import annotations

from server.metrics.audio import AUDIO
from server.metrics.feeling import FEELING
from server.metrics.flow import FLOW
from server.metrics.group import GROUP
from server.metrics.metric import Metric
from server.metrics.text import TEXT

METRICS: tuple[Metric, ...] = (*GROUP, *FEELING, *AUDIO, *TEXT, *FLOW)
