"""The charts of the PDF report, by hand."""

from __future__ import annotations

import pytest

from server.documents.meeting import Stretch
from server.documents.report_charts import CELLS, MAX_LANES, MAX_TICKS, lanes, over_time, ticks
from tests.server.documents.documented import documented, silent

MINUTE = 60_000


def test_a_lane_is_the_time_in_which_somebody_speaks() -> None:
    speech = [Stretch(0, 500, 1), Stretch(500, 1000, 1), Stretch(1500, 2000, 2), Stretch(1990, 2000, 1)]
    # A cell is 20 ms / 6.
    assert lanes(speech, [1, 2], 2000) == [[[0.0, 0.5], [0.995, 1.0]], [[0.75, 1.0]]]


def test_lanes_of_a_long_meeting_are_bounded() -> None:
    speech = [Stretch(start, start + 10, start // 100 % 40) for start in range(0, 14_400_000, 100)]
    found = lanes(speech, list(range(40)), 14_400_000)
    assert len(found) == MAX_LANES
    assert all(1 <= len(spans) <= CELLS for spans in found)
    assert all(0 <= start < end <= 1 for spans in found for start, end in spans)


def test_speech_after_the_end_is_at_the_end() -> None:
    assert lanes([Stretch(5000, 6000, 1), Stretch(7000, 7000, 1)], [1], 4000) == [[[round(1 - 1 / CELLS, 5), 1.0]]]
    assert lanes([Stretch(0, 10, 1)], [1], 0) == [[]]


@pytest.mark.parametrize(
    ("minutes", "labels"),
    [
        pytest.param(1, ["0:00:00", "0:00:15", "0:00:30", "0:00:45"], id="a-minute"),
        pytest.param(37, [f"0:{minute:02d}:00" for minute in range(0, 37, 5)], id="half-an-hour"),
        pytest.param(240, [f"{half // 2}:{half % 2 * 30:02d}:00" for half in range(8)], id="four-hours"),
    ],
)
def test_labels_of_the_axis_are_round_and_few(minutes: int, labels: list[str]) -> None:
    assert [label for _, label in ticks(minutes * MINUTE)] == labels


def test_an_axis_is_never_crowded() -> None:
    for minutes in range(1, 60 * 48, 7):
        found = ticks(minutes * MINUTE)
        assert 1 <= len(found) <= MAX_TICKS
        assert all(0 <= at < 1 for at, _ in found)
    assert ticks(0) == []


def test_scores_over_time_say_why_one_is_missing() -> None:
    german = documented("german")
    charts = {chart["title"]: chart for chart in over_time(german.quality, german.duration_ms)}
    assert list(charts) == ["Sentiment", "Energy", "Interaction", "Balance"]
    assert (charts["Sentiment"]["steps"], "English only" in charts["Sentiment"]["note"]) == ([], True)
    (period,) = german.quality["dynamics"]["dynamics"]
    assert charts["Energy"]["steps"] == [[0.0, 1.0, period["energy_score"] / 100]]
    assert charts["Interaction"]["steps"] == [[0.0, 1.0, period["interactions_score"] / 100]]
    assert charts["Balance"]["steps"] == [[0.0, 1.0, 1.0]]
    english = documented("hostile")
    sentiment = over_time(english.quality, english.duration_ms)[0]
    assert sentiment["steps"] == [[0.0, 1.0, 1.0]]
    assert sentiment["levels"][-1] == english.quality["dynamics"]["dynamics"][0]["sentiment"] == "Positive"


def test_nothing_is_drawn_of_a_meeting_without_length() -> None:
    assert over_time(silent().quality, 0) == []
