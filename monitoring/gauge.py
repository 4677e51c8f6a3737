"""Gauges whose values are looked up when Prometheus asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)
Readings = Mapping[tuple[str, ...], float]


class ObservedGauge(Collector):
    """A gauge that reads its values when it is asked, in another thread than the process's work.

    Until ``watch`` is called it has no values, and none while a reading fails: that breaks no scrape.
    """

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str] = (), registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._name, self._documentation, self.labels = name, documentation, tuple(labels)
        self._read: Callable[[], Readings] | None = None
        self._failed = False
        registry.register(self)

    def watch(self, read: Callable[[], Readings]) -> None:
        """Read values with ``read`` from now on: by the values of the labels; without labels, of the empty tuple."""
        self._read, self._failed = read, False

    def forget(self) -> None:
        """Have no values any more."""
        self._read = None

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauge without values."""
        return [GaugeMetricFamily(self._name, self._documentation, labels=self.labels)]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauge with its values of now."""
        family = GaugeMetricFamily(self._name, self._documentation, labels=self.labels)
        if self._read is not None:
            try:
                for labels, value in self._read().items():
                    family.add_metric(labels, value)
            except Exception:
                # Once, not with each scrape.
                if not self._failed:
                    log.warning("%s cannot be read", self._name, exc_info=True)
                self._failed = True
                return self.describe()
            self._failed = False
        return [family]
