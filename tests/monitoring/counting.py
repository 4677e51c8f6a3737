"""What was counted while something ran."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY


class Counted(dict[str, float]):
    """Samples that changed, by name and labels as Prometheus writes them: ``calls_total{method=a}``."""


def samples(prefix: str) -> dict[str, float]:
    """The samples of this process that begin so, as they are written in ``Counted``; those of buckets aside."""
    found = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            series = f"{sample.name}{{{labels}}}" if labels else sample.name
            if series.startswith(prefix) and not sample.name.endswith("_bucket"):
                found[series] = sample.value
    return found


@contextmanager
def counting(prefix: str) -> Iterator[Counted]:
    """What changes meanwhile in the metrics whose names begin so; filled at the end."""
    before, changed = samples(prefix), Counted()
    yield changed
    after = samples(prefix)
    changed.update({name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)})
