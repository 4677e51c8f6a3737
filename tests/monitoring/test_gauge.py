"""Gauges that are read when they are asked for."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from monitoring import ObservedGauge


def samples(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_values_are_those_of_now() -> None:
    registry = CollectorRegistry()
    gauge, plain = ObservedGauge("jobs", "Jobs.", ["state"], registry), ObservedGauge("free", "Free.", (), registry)
    assert samples(registry) == []
    waiting = {"waiting": 1.0}
    gauge.watch(lambda: {(state,): count for state, count in waiting.items()})
    plain.watch(lambda: {(): 5})
    assert samples(registry) == ['jobs{state="waiting"} 1.0', "free 5.0"]
    waiting["waiting"] = 2
    assert samples(registry)[0] == 'jobs{state="waiting"} 2.0'


def test_a_reading_that_fails_breaks_no_scrape() -> None:
    registry = CollectorRegistry()

    def fail() -> dict[tuple[str, ...], float]:
        raise OSError("the folder is gone")

    ObservedGauge("free", "Free.", (), registry).watch(fail)
    ObservedGauge("reserve", "Reserve.", (), registry).watch(lambda: {(): 1})
    assert samples(registry) == ["reserve 1.0"]


def test_it_is_known_before_it_is_watched() -> None:
    registry = CollectorRegistry()
    ObservedGauge("free", "Free.", (), registry)
    assert [family.name for family in registry.collect()] == ["free"]
