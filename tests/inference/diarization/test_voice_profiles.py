"""What a speaker is known by in another session: the mean of the windows in which nobody else speaks."""

from __future__ import annotations

import numpy as np
import pytest

from inference.diarization.resegmentation import SpeakerSegment
from inference.diarization.voice_profiles import VoiceProfiles, build_profiles
from inference.diarization.windows import EncoderWindow

HOP_S = 0.6
ONE, OTHER, BOTH = np.eye(3, dtype=np.float32)


def windows(*starts_s: float) -> list[EncoderWindow]:
    return [EncoderWindow(start_s, start_s + 1.2, 0) for start_s in starts_s]


def test_a_profile_is_the_mean_of_the_windows_of_its_speaker() -> None:
    segments = [SpeakerSegment(0, 3, 1, 0, 0), SpeakerSegment(3, 6, 2, 0, 1)]
    found = build_profiles(segments, windows(0.0, 0.6, 3.0), np.stack([ONE, BOTH, OTHER]), HOP_S)
    assert found.vectors == pytest.approx(np.stack([(ONE + BOTH) / np.sqrt(2), OTHER]), abs=1e-6)
    assert found.seconds == pytest.approx([1.2, 0.6])


def test_windows_of_two_at_once_are_nobodys() -> None:
    segments = [
        SpeakerSegment(0, 9, 1, 0, 0),
        SpeakerSegment(1, 5, 2, 0, 500, overlapping=True),
        SpeakerSegment(2, 3, 3, 0, 501, overlapping=True),
    ]
    found = build_profiles(segments, windows(0.0, 0.6, 3.6, 4.4), np.stack([ONE, BOTH, BOTH, ONE]), HOP_S)
    assert found.vectors == pytest.approx(np.stack([ONE, 0 * ONE, 0 * ONE]), abs=1e-6)
    assert found.seconds == pytest.approx([1.2, 0, 0])


def test_a_short_word_is_little_speech() -> None:
    found = build_profiles([SpeakerSegment(0, 0.2, 1, 0, 0)], [EncoderWindow(0.0, 0.2, 0)], ONE[None], HOP_S)
    assert found.seconds == pytest.approx([0.2])


def test_a_session_of_nobody_has_no_voices() -> None:
    nobody = VoiceProfiles.empty(192)
    assert (nobody.vectors.shape, nobody.seconds.shape) == ((0, 192), (0,))
