"""The charts of the PDF report: who spoke when, and scores over time. Positions are shares of the meeting, 0..1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from server.documents.meeting import Stretch
from server.documents.outline import clock
from server.insights import QualityDocument

# A lane is as many cells at most: finer than a printer's dots on this width, and bounded for the longest meeting.
CELLS = 600
# People with a lane of their own; a page holds no more.
MAX_LANES = 16
# Time between labels of the axis, minutes; the first that gives no more labels than this is taken.
STEPS_MIN = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 240, 480)
MAX_TICKS = 8
SENTIMENTS = ("Negative", "Somewhat Negative", "Neutral", "Somewhat Positive", "Positive")
Chart = dict[str, Any]


def lanes(speech: Iterable[Stretch], speakers: Sequence[int], duration_ms: int) -> list[list[list[float]]]:
    """Return for each of the first speakers the spans of time in which they speak, in order and apart.

    A span begins and ends at the border of a cell, of which the meeting has ``CELLS``; whoever speaks in a cell at all
    fills it.
    """
    own: dict[int, set[int]] = {speaker: set() for speaker in speakers[:MAX_LANES]}
    for one in speech:
        if one.speaker in own and duration_ms > 0:
            first = min(CELLS - 1, one.start_ms * CELLS // duration_ms)
            last = min(CELLS - 1, max(one.start_ms, one.end_ms - 1) * CELLS // duration_ms)
            own[one.speaker].update(range(first, last + 1))
    return [_spans(sorted(cells)) for cells in own.values()]


def _spans(cells: Sequence[int]) -> list[list[float]]:
    found: list[list[float]] = []
    end = -1
    for cell in cells:
        if cell == end:
            found[-1][1] = round((cell + 1) / CELLS, 5)
        else:
            found.append([round(cell / CELLS, 5), round((cell + 1) / CELLS, 5)])
        end = cell + 1
    return found


def ticks(duration_ms: int) -> list[tuple[float, str]]:
    """Return the labels of the time axis with their places: round times, few enough to be read."""
    if duration_ms <= 0:
        return []
    steps = (round(minutes * 60_000) for minutes in STEPS_MIN)
    step = next((one for one in steps if (duration_ms - 1) // one < MAX_TICKS), duration_ms)
    return [(round(at / duration_ms, 5), clock(at)) for at in range(0, duration_ms, step)]


def over_time(quality: QualityDocument, duration_ms: int) -> list[Chart]:
    """Return a chart of each score that is known over time: sentiment, energy, interaction and balance.

    ``levels`` are the names of the values from the lowest, 0, to the highest, 1; without them the scale is 0 to 100. A
    step is its begin, its end and its value, 0..1; there is none where the value is unknown.
    """
    if duration_ms <= 0:
        return []
    periods = quality["dynamics"]["dynamics"]
    sentiment = [
        (one["start"], one["end"], SENTIMENTS.index(one["sentiment"]) / (len(SENTIMENTS) - 1))
        for one in periods
        if one["sentiment"] in SENTIMENTS
    ]
    energy = [(one["start"], one["end"], one["energy_score"] / 100) for one in periods]
    interaction = [(one["start"], one["end"], one["interactions_score"] / 100) for one in periods]
    windows = quality["flow"]["balance_over_time"]
    balance = [
        # Windows overlap: each is shown up to the begin of the next.
        (one["start"], later["start"] if later else one["end"], one["balance"] / 100)
        for one, later in zip(windows, [*windows[1:], None], strict=True)
    ]
    reason = next((one.get("reason") for one in periods if one.get("reason")), None)
    enough = quality["support"]["sufficient"]
    charts: list[Chart] = [
        {"title": "Sentiment", "levels": list(SENTIMENTS), "steps": sentiment, "note": reason or ""},
        {"title": "Energy", "levels": [], "steps": energy, "note": ""},
        {"title": "Interaction", "levels": [], "steps": interaction if enough else [], "note": ""},
        {"title": "Balance", "levels": [], "steps": balance if enough else [], "note": ""},
    ]
    for chart in charts:
        chart["steps"] = [
            [round(min(1, start / duration_ms), 5), round(min(1, end / duration_ms), 5), round(value, 4)]
            for start, end, value in chart["steps"]
        ]
    return [chart for chart in charts if chart["steps"] or chart["note"]]
