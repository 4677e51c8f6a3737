"""Which speech of a meeting's tracks is somebody else's: found in their audio, and left out of the conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import numpy as np
import pytest
from numpy.typing import NDArray

from server.analysis.copied_speech import find_copies
from server.analysis.recording import AudioTrack, Recording, build_conversation
from server.conversation import Heard
from tests.recordings import RATE_HZ, solo
from tests.server.analysis.test_recording import session, turn

SECONDS = 24


def placed(voice: str, at_s: float, seconds: float, gain: float = 1.0) -> NDArray[np.int16]:
    """A voice that speaks from a moment on, in a track of ``SECONDS``."""
    track = np.zeros(SECONDS * RATE_HZ, np.int16)
    begin, count = round(at_s * RATE_HZ), round(seconds * RATE_HZ)
    track[begin : begin + count] = np.round(solo(voice)[:count] * gain)
    return track


RMS, SLT = placed("rms", 2, 8), placed("slt", 12, 8)


def track(pcm: NDArray[np.int16], *, participant: bool, start_s: float = 0, piece: int = 5000) -> AudioTrack:
    async def read() -> AsyncGenerator[bytes, None]:
        for begin in range(0, len(pcm), piece):
            yield pcm[begin : begin + piece].astype("<i2").tobytes()

    return AudioTrack(read, len(pcm), is_participant=participant, start_us=round(start_s * 1_000_000))


async def test_a_mix_beside_the_participants_speaks_for_nobody_but_who_has_no_track() -> None:
    mix = RMS + SLT + placed("rms", 21, 2)
    tracks = [track(RMS, participant=True), track(mix, participant=False), track(SLT, participant=True, piece=70_000)]
    results = [
        session(turn(1, 1, 2, 10)),
        session(turn(1, 1, 2, 10), turn(2, 2, 12, 20), turn(3, 1, 21, 23)),
        session(turn(1, 1, 12, 20)),
    ]
    copies = await find_copies(tracks, results)
    numbered = [
        AudioTrack(t.pcm, 0, speaker_number=lambda label, index=index: 10 * index + label, index=index)  # type: ignore[misc]
        for index, t in enumerate(tracks)
    ]
    conversation, _ = build_conversation(Recording(tuple(numbered), 3), results, copies)
    spoken = [(s.speaker, round(s.start_us / 1e6), round(s.end_us / 1e6)) for s in conversation.segments]
    assert spoken == [(1, 2, 10), (21, 12, 20), (11, 21, 23)]
    # The second voice of the mix is nobody any more.
    assert conversation.speakers == (1, 21, 11)


@pytest.mark.parametrize("late_s", [0.0, 1.3])
async def test_an_echo_on_a_track_is_not_its_persons_speech(late_s: float) -> None:
    delay = round(0.08 * RATE_HZ)
    echo = np.concatenate([np.zeros(delay, np.int16), placed("rms", 2, 8, 0.1)[:-delay]])
    noise = np.random.default_rng(3).normal(0, 3, len(echo)).astype(np.int16)
    skipped = round(late_s * RATE_HZ)
    tracks = [
        track(RMS, participant=True),
        track((SLT + echo + noise)[skipped:], participant=True, start_s=late_s),
    ]
    results = [session(turn(1, 1, 2, 10)), session(turn(1, 1, 2, 8), turn(2, 1, 11, 18))]
    copies = await find_copies(tracks, results)
    conversation, _ = build_conversation(Recording(tuple(tracks), 2), results, copies)
    assert len(conversation.segments) == 2
    # The own track of the voice is as it was.
    assert Heard.COPY not in copies[0]
    assert Heard.COPY in copies[1]


async def test_tracks_without_participants_are_not_read_again() -> None:
    def unreadable() -> AsyncGenerator[bytes, None]:
        raise AssertionError

    mixes = [AudioTrack(unreadable, 0), AudioTrack(unreadable, 0)]
    results = [session(turn(1, 1, 2, 10)), session(turn(1, 1, 2, 10))]
    assert await find_copies(mixes, results) == [b"", b""]
    assert await find_copies([AudioTrack(unreadable, 0, is_participant=True)], [session(turn(1, 1, 2, 10))]) == [b""]
    silent = [AudioTrack(unreadable, 0, is_participant=True)] * 2
    assert await find_copies(silent, [session(), session()]) == [b"", b""]


async def test_a_track_that_ends_early_is_silent_from_then_on() -> None:
    tracks = [track(RMS[: 5 * RATE_HZ], participant=True), track(RMS, participant=False)]
    (_, frames) = await find_copies(tracks, [session(turn(1, 1, 2, 5)), session(turn(1, 1, 2, 10))])
    assert set(frames[9:18]) <= {Heard.COPY, Heard.NOTHING}
    assert set(frames[22:40]) <= {Heard.OWN, Heard.NOTHING}
