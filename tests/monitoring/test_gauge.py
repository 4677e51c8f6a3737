"""Gauges that are read when they are asked for."""

from __future__ import annotations

import logging

import pytest
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


def test_a_reading_that_fails_breaks_no_scrape(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "monitoring.gauge")
    registry = CollectorRegistry()

    def fail() -> dict[tuple[str, ...], float]:
        raise OSError("the folder is gone")

    free, reserve = ObservedGauge("free", "Free.", (), registry), ObservedGauge("reserve", "Reserve.", (), registry)
    free.watch(fail)
    reserve.watch(lambda: {(): 1})
    for _ in range(2):
        assert samples(registry) == ["reserve 1.0"]
    said = [record.getMessage() for record in caplog.records if record.name == "monitoring.gauge"]
    assert said == ["free cannot be read"], "once, not with each scrape"
    reserve.forget()
    assert samples(registry) == []


def test_it_is_known_before_it_is_watched() -> None:
    registry = CollectorRegistry()
    ObservedGauge("free", "Free.", (), registry)
    assert [family.name for family in registry.collect()] == ["free"]
