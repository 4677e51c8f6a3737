"""Conversational energy: talking time, interaction, and vocal activation."""

from __future__ import annotations

from statistics import fmean

from server.insights.family import Family
from server.insights.interaction import interaction_value
from server.insights.score import Component, Score, weighted_score
from server.insights.timeline import Timeline, Window, compute_support, weighted_mean

DEFINITION_VERSION = "1"


def talking_share(timeline: Timeline, window: Window) -> float:
    """Return ``talking_time``: the share of the window with any speech, 0..1."""
    return timeline.speech_us(window) / window.duration_us if window.duration_us else 0.0


def activation(timeline: Timeline, window: Window) -> float | None:
    """Return the time-weighted mean vocal activation of the utterances, 0..1; None if unknown."""
    return weighted_mean(timeline.activations_in(window))


def energy_parts(timeline: Timeline, window: Window) -> dict[str, float]:
    """Return the known components of a window's energy, each 0..1."""
    parts = {
        "talking_time": talking_share(timeline, window),
        "interactions": interaction_value(timeline, window) / 100,
    }
    lively = activation(timeline, window)
    if lively is not None:
        parts["vocal_activation"] = lively
    return parts


def energy_value(timeline: Timeline, window: Window) -> float:
    """Return 100 times the mean of the known components, 0..100; 0 without speech."""
    parts = energy_parts(timeline, window)
    return 100 * fmean(parts.values()) if parts["talking_time"] > 0 else 0.0


def energy(timeline: Timeline) -> Score:
    """Return ``meeting_energy`` of the whole meeting, 0..100.

    The mean of talking time, interaction / 100, and vocal activation if speakers have the five utterances that it
    needs. It describes a meeting; it does not grade it.
    """
    parts = energy_parts(timeline, timeline.full_window)
    components = tuple(Component(name, value, 1 / len(parts)) for name, value in parts.items())
    return weighted_score(components, compute_support(timeline, DEFINITION_VERSION, 1))


ENERGY = Family("energy", DEFINITION_VERSION, lambda meeting: energy(meeting.timeline).to_document(), quotes=False)
