"""Numbers of live speakers: given once a voice is sure, again where one vanishes."""

from __future__ import annotations

import pytest

from inference.diarization import SpeakerSegment
from inference.speakers.speaker_numbers import ORDER_S, SURE_S, SpeakerNumbers

LONG = ORDER_S


def numbers_of(numbers: SpeakerNumbers, *labels: int) -> list[int]:
    """The number of each voice, as a span of it is told."""
    spans = [SpeakerSegment(0.0, 1.0, label, place, 0) for place, label in enumerate(labels)]
    return [numbers.apply([span])[0].speaker for span in spans]


def test_the_first_voice_is_known_at_once_and_another_once_it_has_spoken() -> None:
    numbers = SpeakerNumbers()
    assert numbers.update({1: 0.8}) == [1]
    assert numbers.update({1: LONG, 2: SURE_S - 0.1}) == []
    assert numbers_of(numbers, 1, 2) == [1, 0]
    assert numbers.update({1: LONG, 2: SURE_S}) == [2]
    assert numbers_of(numbers, 1, 2) == [1, 2]
    assert numbers.update({1: LONG, 2: LONG}) == []


def test_numbers_are_given_again_and_never_run_away() -> None:
    numbers = SpeakerNumbers()
    numbers.update({1: LONG})
    for label in range(2, 50):
        numbers.update({1: LONG, label: SURE_S})
        assert numbers_of(numbers, 1, label) == [1, 2]
    numbers.update({1: LONG, 60: LONG, 70: LONG})
    numbers.update({1: LONG, 70: LONG, 80: LONG})
    assert numbers_of(numbers, 1, 60, 70, 80) == [1, 0, 3, 2]


def test_who_has_a_number_keeps_it_though_others_were_heard_before() -> None:
    numbers = SpeakerNumbers()
    numbers.update({2: LONG})
    assert numbers.update({1: LONG, 2: LONG}) == [1]
    assert numbers_of(numbers, 1, 2) == [2, 1]


def test_at_the_beginning_numbers_follow_the_order_of_first_speech() -> None:
    numbers = SpeakerNumbers()
    numbers.update({2: SURE_S})
    assert sorted(numbers.update({1: SURE_S, 2: SURE_S})) == [1, 2]
    assert numbers_of(numbers, 1, 2) == [1, 2]


@pytest.mark.parametrize("overlapping", [False, True])
def test_voices_that_are_not_sure_are_one_turn_of_an_unknown_speaker(overlapping: bool) -> None:
    numbers = SpeakerNumbers()
    numbers.update({1: LONG, 2: 1.0, 3: 1.0})
    spans = [SpeakerSegment(place, place + 1.0, label, 0, place) for place, label in enumerate((1, 2, 3, 1))]
    beside = SpeakerSegment(0.5, 0.9, 1 if not overlapping else 2, 0, 500, overlapping=True)
    told = [(span.start_s, span.end_s, span.speaker) for span in numbers.apply([*spans, beside])]
    floor = [(0, 1, 1), (1, 3, 0), (3, 4, 1)]
    # Nobody can use a voice beside the floor that is not known.
    assert told == (floor if overlapping else [*floor, (0.5, 0.9, 1)])


def test_numbers_are_settled_once_all_together_have_spoken_enough() -> None:
    numbers = SpeakerNumbers()
    numbers.update({5: LONG - 4, 7: 3.0})
    assert not numbers.are_settled
    numbers.update({5: LONG - 4, 7: 4.0})
    assert numbers.are_settled
    assert [numbers.label(number) for number in (1, 2, 3, 0)] == [5, 7, None, None]
