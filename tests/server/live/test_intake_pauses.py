"""Pauses that a client tells of: silence stands for them, once, and every reader of the log hears it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from server.audio import TrackDecoder, TrackEdits, TrackFormat
from server.audio.encodings import Encoding, packet_samples
from server.errors import AudioGap, AudioOverlap, BadRequest, LiveMeetingTooLong, MeetraError
from server.live import intake
from server.live.clock_news import ClockNews
from server.live.config import LiveConfig
from server.live.recording import decode_log
from server.live.source_log import TrackLog
from server.live.track_log import MeetingAudio
from tests.recordings import RATE_HZ
from tests.server.live.live_configs import MIXED, PCM, of_kinds
from tests.server.live.test_intake import OPUS, PACKETS

LIMIT_S = 12 * 3600.0
CHUNK = 1600


class Meeting:
    """A meeting of one track."""

    def __init__(self, folder: Path, syncing: ThreadPoolExecutor) -> None:
        self._path, self._syncing = folder / "track-0.log", syncing
        self.audio: MeetingAudio

    async def open(self, config: LiveConfig) -> Meeting:
        self.audio = MeetingAudio([TrackLog(config.tracks[0], self._path)], self._path.parent / "holder", self._syncing)
        await self.audio.open()
        return self

    async def again(self) -> Meeting:
        """As after the process has died."""
        await self.audio.close()
        (log,) = self.audio.logs
        self.audio = MeetingAudio([TrackLog(log.track, log.path)], self._path.parent / "holder", self._syncing)
        await self.audio.open()
        return self

    @property
    def log(self) -> TrackLog:
        return self.audio.logs[0]

    async def take(self, first: int, data: bytes, limit_s: float = LIMIT_S, **fields: Any) -> None:
        chunk = pb.AudioChunk(track_id="t0", first_sample=first, data=data, **fields)
        await intake.receive_chunk(self.audio, chunk, limit_s)

    async def heard(self) -> NDArray[np.int16]:
        """What every analysis hears."""
        await self.audio.wait_until_committed()
        return await heard(self.log)


async def heard(log: TrackLog) -> NDArray[np.int16]:
    return np.frombuffer(b"".join([data async for data in decode_log(log.track, log.path)]), np.int16)


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    with ThreadPoolExecutor(1) as syncing:
        made = Meeting(tmp_path, syncing)
        yield made
        await made.audio.close()


def samples(value: int, count: int = CHUNK) -> bytes:
    return np.full(count, value, "<i2").tobytes()


def runs(pcm: NDArray[np.int16]) -> list[tuple[int, int]]:
    """Each value with how often it comes in a row."""
    starts = np.flatnonzero(np.diff(pcm, prepend=pcm[:1] - 1))
    return [(int(pcm[a]), int(b - a)) for a, b in zip(starts, [*starts[1:], len(pcm)], strict=True)]


async def test_a_declared_pause_is_silent_and_counts_in_positions(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(1))
    await meeting.take(CHUNK + 90_000, samples(2), gap_samples=90_000)
    assert runs(await meeting.heard()) == [(1, CHUNK), (0, 90_000), (2, CHUNK)]
    assert (meeting.log.committed, meeting.log.committed_samples) == (90_000 + 2 * CHUNK,) * 2
    # What came is kept as it came: silence takes no room.
    assert meeting.log.path.read_bytes() == samples(1) + samples(2)


async def test_a_jump_that_is_not_declared_is_refused_as_ever(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(1))
    with pytest.raises(AudioGap, match=f"send from {CHUNK}$"):
        await meeting.take(CHUNK + 10, samples(2))
    # Declared, but not from where the audio ends: some was lost.
    with pytest.raises(AudioGap, match=f"audio.first_sample: {CHUNK + 5} .* send from {CHUNK}$"):
        await meeting.take(CHUNK + 10, samples(2), gap_samples=5)
    with pytest.raises(AudioOverlap):
        await meeting.take(CHUNK + 10, samples(2), gap_samples=11)
    assert runs(await meeting.heard()) == [(1, CHUNK)]


async def test_a_chunk_that_is_sent_again_is_ignored_with_its_silence(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(1))
    for _ in range(3):
        await meeting.take(CHUNK + 100, samples(2), gap_samples=100, captured_ms=50_000)
    told = await meeting.heard()
    await meeting.again()
    await meeting.take(CHUNK + 100, samples(2), gap_samples=100, captured_ms=99_000)
    await meeting.take(CHUNK + 100, samples(2), gap_samples=100)
    np.testing.assert_array_equal(await meeting.heard(), told)
    assert meeting.log.accepted == 2 * CHUNK + 100
    assert meeting.log.length == len(told) == 50 * RATE_HZ + CHUNK


async def test_a_process_that_died_before_the_audio_was_written_does_not_know_its_pause(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(1))
    await meeting.take(CHUNK + 500, samples(2), gap_samples=500)
    told = await meeting.heard()
    await meeting.audio.close()
    # As if the machine had stopped between both files.
    meeting.log.path.write_bytes(samples(1))
    assert runs(await heard(meeting.log)) == [(1, CHUNK)]
    await meeting.again()
    assert (meeting.log.accepted, meeting.log.committed, meeting.log.length) == (CHUNK, CHUNK, CHUNK)
    # Another pause than the one that nobody acknowledged.
    await meeting.take(CHUNK + 800, samples(3), gap_samples=800)
    assert runs(await meeting.heard()) == [(1, CHUNK), (0, 800), (3, CHUNK)]
    assert len(told) == 2 * CHUNK + 500


async def test_a_process_that_died_in_the_middle_of_a_chunk_goes_on_in_it(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(500, samples(2), gap_samples=500)
    await meeting.heard()
    await meeting.audio.close()
    meeting.log.path.write_bytes(samples(2, 300))
    await meeting.again()
    assert meeting.log.committed == 800
    await meeting.take(800, samples(2, CHUNK - 300))
    assert runs(await meeting.heard()) == [(0, 500), (2, CHUNK)]


async def test_capture_times_fill_in_silence_that_positions_do_not_count(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED, start_us=2_000_000))
    # The track begins at 2 s, and its audio at 3 s.
    await meeting.take(0, samples(1), captured_ms=3000)
    # 1 s late is late, and no pause.
    await meeting.take(CHUNK, samples(2), captured_ms=4100)
    await meeting.take(2 * CHUNK, samples(3), captured_ms=4201)
    await meeting.take(3 * CHUNK, samples(4), captured_ms=63_000)
    await meeting.take(4 * CHUNK, samples(5))
    gap = 63 * RATE_HZ - 2 * RATE_HZ - RATE_HZ - 3 * CHUNK - 1001 * 16
    expected = [(0, RATE_HZ), (1, CHUNK), (2, CHUNK), (0, 1001 * 16), (3, CHUNK), (0, gap), (4, CHUNK), (5, CHUNK)]
    assert runs(await meeting.heard()) == expected
    assert meeting.log.accepted == 5 * CHUNK
    told = await meeting.heard()
    await meeting.again()
    assert (meeting.log.accepted, meeting.log.length) == (5 * CHUNK, len(told))
    np.testing.assert_array_equal(await meeting.heard(), told)


async def test_opus_packets_pause_too(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED, format=OPUS))
    first = 0
    for packet in PACKETS[:10]:
        await meeting.take(first, packet)
        first += packet_samples(packet)
    # Not a whole number of packets.
    batch = b"".join(len(packet).to_bytes(4, "big") + packet for packet in PACKETS[10:20])
    await meeting.take(first + 48_001, batch, gap_samples=48_001, length_prefixed=True)
    pcm = await meeting.heard()
    whole = TrackDecoder(OPUS)
    plain = await whole.decode(meeting.log.path.read_bytes())
    await whole.close()
    begin = first // 3
    assert not pcm[begin : begin + RATE_HZ].any()
    np.testing.assert_array_equal(np.concatenate([pcm[:begin], pcm[begin + RATE_HZ :]])[: len(plain)], plain)
    assert meeting.log.accepted == first + 48_001 + sum(map(packet_samples, PACKETS[10:20]))


@pytest.mark.parametrize("encoding", [Encoding.OGG_OPUS, Encoding.WEBM_OPUS])
@pytest.mark.parametrize("fields", [{"gap_samples": 5}, {"captured_ms": 0}], ids=["gap", "captured"])
async def test_containers_state_their_pauses_themselves(
    meeting: Meeting, encoding: Encoding, fields: dict[str, int]
) -> None:
    await meeting.open(of_kinds(MIXED, format=TrackFormat(encoding, 48_000, 1)))
    await meeting.take(0, b"0123456789")
    with pytest.raises(BadRequest, match=rf"audio\.{next(iter(fields))}: .*omit it.* send silence"):
        await meeting.take(10, b"abc", **fields)
    assert meeting.log.accepted == 10


async def test_a_pause_longer_than_everything_before_it_is_no_position(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    with pytest.raises(BadRequest, match=r"audio\.gap_samples: 11, more than first_sample, 10"):
        await meeting.take(10, samples(1), gap_samples=11)


@pytest.mark.parametrize(
    "fields",
    [
        {"first": 2**32 - 1, "gap_samples": 2**32 - 1},
        {"first": 10 * RATE_HZ, "gap_samples": 10 * RATE_HZ},
        {"first": 0, "captured_ms": 2**32 - 1},
        {"first": 0, "captured_ms": 10_000},
    ],
    ids=["all positions", "a chunk too much", "for ever", "to the end"],
)
async def test_no_pause_makes_a_meeting_longer_than_it_may_be(meeting: Meeting, fields: dict[str, int]) -> None:
    await meeting.open(of_kinds(MIXED))
    with pytest.raises(LiveMeetingTooLong):
        await meeting.take(data=samples(1), limit_s=10, **fields)
    await meeting.take(0, samples(1), limit_s=10)
    assert runs(await meeting.heard()) == [(1, CHUNK)]


async def test_pauses_are_limited_and_a_restart_does_not_forget_them(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_PAUSES", 3)
    await meeting.open(of_kinds(MIXED))
    first = 0
    for _ in range(2):
        await meeting.take(first + 500, samples(1), gap_samples=500)
        first += 500 + CHUNK
    await meeting.take(first, samples(2), captured_ms=10_000)
    await meeting.heard()
    await meeting.again()
    with pytest.raises(BadRequest, match=r"audio\.gap_samples: the track has paused 3 times; send silence"):
        await meeting.take(first + CHUNK + 1, samples(3), gap_samples=1)
    with pytest.raises(BadRequest, match=r"audio\.captured_ms: the track has paused 3 times"):
        await meeting.take(first + CHUNK, samples(3), captured_ms=20_000)
    await meeting.take(first + CHUNK, samples(3), captured_ms=10_100)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(-3, 3) | st.integers(0, 2**32 - 1),
            st.integers(0, 50) | st.integers(0, 2**32 - 1),
            st.none() | st.integers(0, 2**32 - 1),
            st.integers(1, 40),
        ),
        max_size=12,
    )
)
async def test_hostile_numbers_are_refused_or_heard_as_they_are_told(chunks: list[tuple[int, int, int, int]]) -> None:
    log = TrackLog(of_kinds(MIXED).tracks[0], Path("nowhere"))
    audio = MeetingAudio([log], Path("nowhere"), ThreadPoolExecutor(1))
    for near, gap, captured, count in chunks:
        first = (log.accepted + near + gap) % 2**32 if abs(near) <= 3 else near
        chunk = pb.AudioChunk(
            track_id="t0", first_sample=first, gap_samples=gap, captured_ms=captured, data=samples(5, count)
        )
        before = (log.accepted, log.recorded, log.length, len(log.edits.all))
        try:
            await intake.receive_chunk(audio, chunk, 3600)
        except MeetraError:
            assert (log.accepted, log.recorded, log.length, len(log.edits.all)) == before
        assert log.recorded <= log.accepted <= 3600 * RATE_HZ
        assert log.length <= 3600 * RATE_HZ
        assert log.length == log.recorded + TrackEdits(RATE_HZ, log.edits.all).net
        assert sum(len(data) for data in log.pending) == 2 * log.recorded


@pytest.mark.parametrize("ppm", [-200, 200], ids=["slow", "fast"])
async def test_a_drifting_clock_is_right_to_the_end(meeting: Meeting, ppm: int) -> None:
    """Clicks at known moments, recorded by a clock of its own for an hour: they are heard at these moments."""
    rate = 8000
    await meeting.open(of_kinds(MIXED, format=TrackFormat(Encoding.PCM_S16LE, rate, 1)))
    true_rate, seconds, chunk = rate * (1 + ppm / 1e6), 3600, rate // 2
    recorded = np.zeros(int(seconds * true_rate) // chunk * chunk, "<i2")
    clicks_s = np.arange(5, seconds - 1, 10) + 0.25
    for click in (clicks_s * true_rate).astype(int):
        recorded[click : click + 40] = 20_000
    news, told = ClockNews(), []
    for first in range(0, len(recorded), chunk):
        captured_ms = round(1000 * first / true_rate)
        await meeting.take(first, recorded[first : first + chunk].tobytes(), captured_ms=captured_ms)
        told += news.events(meeting.audio.logs)
    pcm = await meeting.heard()
    loud = np.flatnonzero(np.abs(pcm.astype(int)) > 5000)
    heard_s = loud[np.flatnonzero(np.diff(loud, prepend=-RATE_HZ) > RATE_HZ)] / RATE_HZ
    assert len(heard_s) == len(clicks_s)
    assert np.abs(heard_s - clicks_s).max() < 0.05
    (clock,) = [event.clock for event in told]
    assert clock.drift_ppm == pytest.approx(ppm, abs=10)
    assert clock.track_id == "t0"
    # Without a correction the last click would be 0.7 s off.
    assert abs(len(pcm) / RATE_HZ - len(recorded) / true_rate) < 0.05
    assert meeting.log.path.read_bytes() == recorded.tobytes()
    await meeting.again()
    assert abs(meeting.log.length / rate - len(pcm) / RATE_HZ) < 0.001


async def test_capture_times_that_run_behind_are_told_once(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED, format=PCM))
    news, told = ClockNews(), []
    for first in range(0, 40 * CHUNK, CHUNK):
        await meeting.take(first, samples(1), captured_ms=0)
        told += news.events(meeting.audio.logs)
    (warning,) = [event.warning for event in told]
    assert (warning.code, warning.track_id) == (pb.WARNING_CODE_CAPTURE_CLOCK, "t0")
    assert runs(await meeting.heard()) == [(1, 40 * CHUNK)]
