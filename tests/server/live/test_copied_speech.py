"""Live tracks compared as their audio arrives, in whatever order and pieces."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from server.analysis.copied_speech import find_copies
from server.audio import TrackSound
from server.conversation import Heard
from server.live import copied_speech
from server.live.copied_speech import CopyDetector
from server.live.copied_turns import EVERYTHING_US
from tests.recordings import RATE_HZ
from tests.server.analysis.test_copied_speech import RMS, SLT, track
from tests.server.analysis.test_recording import session, turn
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds


class Sounds:
    """The sound of tracks, as their feeds keep it."""

    def __init__(self, *tracks: NDArray[np.int16]) -> None:
        self._tracks: list[NDArray[np.int16]] = []
        self.feeds: list[Any] = []
        for samples in tracks:
            self.add(samples)

    def add(self, samples: NDArray[np.int16]) -> None:
        """Another track."""
        self._tracks.append(samples)
        self.feeds.append(SimpleNamespace(sound=TrackSound(), decoded_samples=0))

    def send(self, index: int, count: int) -> None:
        """The next samples of a track."""
        feed = self.feeds[index]
        samples = self._tracks[index][feed.decoded_samples : feed.decoded_samples + count]
        feed.sound.add(samples, feed.decoded_samples)
        feed.decoded_samples += len(samples)


def take(detector: CopyDetector, heard: Sounds) -> None:
    for copied, (frames, idle) in zip(detector.tracks, detector.detect(heard.feeds), strict=True):
        copied.judged(frames, idle=idle)


async def test_the_judgement_equals_that_of_the_whole_meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_speech, "IDLE_S", 3600.0)
    heard = Sounds(RMS + SLT, RMS, SLT)
    detector = CopyDetector(of_kinds(MIXED, PARTICIPANT, PARTICIPANT))
    for step in range(60):
        for index, count in enumerate((8192, 9000 + 100 * step, 7777 + 50 * step)):
            heard.send(index, count)
        take(detector, heard)
    seconds = len(detector.tracks[0].frames) // 4
    assert seconds > 20
    tracks = [track(RMS + SLT, participant=False), track(RMS, participant=True), track(SLT, participant=True)]
    whole = await find_copies(tracks, [session(turn(1, 1, 0, 24))] * 3)
    # The end is followed by silence there, and has not come here.
    for copied, frames in zip(detector.tracks, whole, strict=True):
        known = len(copied.frames)
        assert list(copied.frames) == list(frames[:known])
    assert set(detector.tracks[0].frames[10:38]) <= {Heard.COPY, Heard.NOTHING}


def test_nothing_is_judged_before_the_others_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_speech, "IDLE_S", 3600.0)
    heard = Sounds(RMS, RMS)
    detector = CopyDetector(of_kinds(MIXED, PARTICIPANT))
    heard.send(0, 10 * RATE_HZ)
    take(detector, heard)
    assert len(detector.tracks[0].frames) == 0
    heard.send(1, 6 * RATE_HZ)
    take(detector, heard)
    assert len(detector.tracks[0].frames) == 5 * 4
    assert set(detector.tracks[0].frames[10:]) <= {Heard.COPY, Heard.NOTHING}


def test_a_track_that_pauses_is_judged_only_once_the_others_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(copied_speech, "time", SimpleNamespace(monotonic=lambda: now))
    heard = Sounds(RMS, SLT)
    detector = CopyDetector(of_kinds(MIXED, PARTICIPANT))
    heard.send(0, 6 * RATE_HZ)
    for _ in range(8):
        now += 1.0
        heard.send(1, RATE_HZ)
        take(detector, heard)
        judged_us = detector.tracks[0].judged_through_us
        assert (judged_us == EVERYTHING_US) == (len(detector.tracks[0].frames) == 6 * 4)
    assert judged_us == EVERYTHING_US


def test_a_muted_participant_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_speech, "IDLE_S", 0.0)
    heard = Sounds(RMS, SLT)
    detector = CopyDetector(of_kinds(MIXED, PARTICIPANT))
    heard.send(0, 10 * RATE_HZ)
    take(detector, heard)
    assert len(detector.tracks[0].frames) == 10 * 4
    assert Heard.COPY not in detector.tracks[0].frames


def test_tracks_that_begin_later_are_compared_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_speech, "IDLE_S", 0.0)
    config = of_kinds(MIXED, PARTICIPANT, start_us=0)
    config = replace(config, tracks=(config.tracks[0], replace(config.tracks[1], start_us=3_500_000)))
    heard = Sounds(RMS, RMS[round(3.5 * RATE_HZ) :])
    detector = CopyDetector(config)
    heard.send(0, len(RMS))
    heard.send(1, len(RMS))
    take(detector, heard)
    frames = detector.tracks[0].frames
    assert set(frames[16:38]) <= {Heard.COPY, Heard.NOTHING}
    assert Heard.COPY not in frames[:12]


def test_mixes_alone_are_not_compared() -> None:
    heard = Sounds(RMS, RMS)
    detector = CopyDetector(of_kinds(MIXED, MIXED))
    heard.send(0, 5 * RATE_HZ)
    heard.send(1, 5 * RATE_HZ)
    assert detector.detect(heard.feeds) == [([], False), ([], False)]


def test_a_participant_who_joins_is_compared_with_a_mix_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_speech, "IDLE_S", 0.0)
    config, later = of_kinds(MIXED), of_kinds(MIXED, PARTICIPANT)
    heard = Sounds(RMS)
    detector = CopyDetector(config)
    heard.send(0, 5 * RATE_HZ)
    take(detector, heard)
    assert (detector.tracks[0].judged_through_us, len(detector.tracks[0].frames)) == (EVERYTHING_US, 0)
    joined = replace(later.tracks[1], start_us=5_000_000, joined=1)
    config.set_tracks(replace(config, tracks=(*config.tracks, joined)))
    detector.adopt_tracks(heard.feeds)
    heard.add(RMS[5 * RATE_HZ :])
    heard.send(0, 5 * RATE_HZ)
    heard.send(1, 5 * RATE_HZ)
    take(detector, heard)
    assert list(detector.tracks[0].frames[:20]) == [Heard.OWN] * 20
    assert Heard.COPY in detector.tracks[0].frames[20:]
    assert len(detector.tracks) == 2
