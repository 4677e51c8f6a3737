"""Conversational energy: talking time, interaction, and vocal activation."""

from __future__ import annotations

from statistics import fmean

from server.insights.family import Family
from server.insights.interaction import interaction_value
from server.insights.score import Component, Score, weighted_score
from server.insights.timeline import Timeline, Window, support_of, weighted_mean

DEFINITION_VERSION = "1"


def talking_share(line: Timeline, window: Window) -> float:
    """Return ``talking_time``: the share of the window with any speech, 0..1."""
    return line.speech_us(window) / window.duration_us if window.duration_us else 0.0


def activation(line: Timeline, window: Window) -> float | None:
    """Return the time-weighted mean vocal activation of the utterances, 0..1; None if unknown."""
    return weighted_mean(line.activations_in(window))


def energy_parts(line: Timeline, window: Window) -> dict[str, float]:
    """Return the known components of a window's energy, each 0..1."""
    parts = {
        "talking_time": talking_share(line, window),
        "interactions": interaction_value(line, window) / 100,
    }
    lively = activation(line, window)
    if lively is not None:
        parts["vocal_activation"] = lively
    return parts


def energy_value(line: Timeline, window: Window) -> float:
    """Return 100 times the mean of the known components, 0..100; 0 without speech."""
    parts = energy_parts(line, window)
    return 100 * fmean(parts.values()) if parts["talking_time"] > 0 else 0.0


def energy(line: Timeline) -> Score:
    """Return ``meeting_energy`` of the whole meeting, 0..100.

    The mean of talking time, interaction / 100, and vocal activation if speakers have the five utterances that it
    needs. It describes a meeting; it does not grade it.
    """
    parts = energy_parts(line, line.whole)
    components = tuple(Component(name, value, 1 / len(parts)) for name, value in parts.items())
    return weighted_score(components, support_of(line, DEFINITION_VERSION, 1))


ENERGY = Family("energy", DEFINITION_VERSION, lambda meeting: energy(meeting.timeline).to_document())
