"""False speakers counted by hand, and meetings disturbed where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.diarization_data import Case
from benchmarks.disturbed_meetings import ALONE_S, DisturbedMeeting, insert_sound, mix_under, spoken_share
from benchmarks.not_speakers import by_kind, score_meeting
from benchmarks.recordings import RATE_HZ
from benchmarks.scoring import SpokenInterval

TRUTH = (SpokenInterval(0.0, 4.0, "a"), SpokenInterval(6.0, 10.0, "b"))
TONE = np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
CASE = Case("two", 0.1 * np.tile(TONE, 10), TRUTH)


def test_a_speaker_mostly_where_nobody_speaks_is_false() -> None:
    found = [SpokenInterval(0.0, 4.0, "1"), SpokenInterval(3.0, 6.0, "2"), SpokenInterval(6.0, 10.0, "1")]
    told = score_meeting(DisturbedMeeting("music", "between", CASE), found, 12.5)
    assert (told.extra_speakers, told.false_speakers) == (0, 1)
    assert told.false_speaker_s == pytest.approx(3.0)
    assert told.nobody_s == pytest.approx(2.0, abs=0.05)
    (row,) = by_kind([told, told])
    assert (row["meetings"], row["with_false_speaker"], row["der"]) == (2, 2, 12.5)


def test_a_sound_between_is_as_loud_as_the_speech_and_moves_what_is_said_later() -> None:
    disturbed = insert_sound(CASE, TONE, 0.0)
    assert disturbed.duration_s == pytest.approx(10 + ALONE_S)
    assert disturbed.truth[1].start_s == pytest.approx(6 + ALONE_S, abs=0.01)
    assert spoken_share(disturbed.truth, 5.1, 5 + ALONE_S) == 0.0
    assert np.sqrt(np.square(disturbed.samples).mean()) == pytest.approx(0.1 / np.sqrt(2), rel=0.01)


def test_a_sound_under_speech_is_quieter_by_as_much_as_is_said() -> None:
    added = mix_under(CASE, -TONE, 20.0).samples - CASE.samples
    ratio = np.square(added).mean() / np.square(CASE.samples).mean()
    assert ratio == pytest.approx(0.01, rel=0.01)
