"""What comes of a live meeting's audio: taken once, in order, and refused with the field and the fix."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from grpc import StatusCode
from meetra.v1 import live_pb2 as pb

from server.audio.encodings import Encoding, TrackFormat, encode_record
from server.errors import AudioGap, AudioOverlap, BadRequest, LiveMeetingTooLong
from server.live.config import LiveConfig
from server.live.intake import MAX_CHUNK_BYTES, receive_chunk
from server.live.source_log import TrackLog
from server.live.track_log import MeetingAudio
from tests.recordings import RATE_HZ, sample_pcm
from tests.server.audio.opus_audio import raw_packets
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds

STEREO = TrackFormat(Encoding.PCM_S16LE, 16_000, 2)
OPUS = TrackFormat(Encoding.OPUS, 48_000, 1)
OGG = TrackFormat(Encoding.OGG_OPUS, 48_000, 1)
PACKETS = raw_packets(sample_pcm()[:RATE_HZ])
LIMIT_S = 3600.0


class Meeting:
    """The durable audio of a meeting, and who takes it in."""

    def __init__(self, folder: Path, syncing: ThreadPoolExecutor) -> None:
        self._folder, self._syncing = folder, syncing
        self.audio: MeetingAudio

    async def open(self, config: LiveConfig) -> Meeting:
        logs = [TrackLog(track, self._folder / f"{track.track_id}.log") for track in config.tracks]
        self.audio = MeetingAudio(logs, self._folder / "holder", self._syncing)
        await self.audio.open()
        return self

    async def take(
        self, first: int, data: bytes, track_id: str = "t0", limit_s: float = LIMIT_S, *, batch: bool = False
    ) -> None:
        chunk = pb.AudioChunk(track_id=track_id, first_sample=first, data=data, length_prefixed=batch)
        await receive_chunk(self.audio, chunk, limit_s)

    async def kept(self, place: int = 0) -> bytes:
        await self.audio.wait_until_committed()
        return self.audio.logs[place].path.read_bytes()


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    with ThreadPoolExecutor(1) as syncing:
        made = Meeting(tmp_path, syncing)
        yield made
        await made.audio.close()


def samples(first: int, count: int) -> bytes:
    """Samples that say their position."""
    return b"".join((n % 65_536).to_bytes(2, "little") for n in range(first, first + count))


async def test_audio_in_order_is_kept_as_it_came(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(0, 10))
    await meeting.take(10, samples(10, 1))
    await meeting.take(11, samples(11, 300))
    assert await meeting.kept() == samples(0, 311)


async def test_what_came_already_is_ignored_whole_or_in_other_pieces(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(0, 100))
    for first, count in ((0, 100), (0, 1), (99, 1), (40, 60), (13, 7)):
        await meeting.take(first, samples(first, count))
    await meeting.take(100, samples(100, 5))
    assert await meeting.kept() == samples(0, 105)


async def test_a_gap_is_refused_with_the_next_sample(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(0, 100))
    with pytest.raises(AudioGap, match=r"^audio\.first_sample: 101 on track t0 leaves a gap; send from 100$") as raised:
        await meeting.take(101, samples(101, 5))
    assert raised.value.grpc_status is StatusCode.OUT_OF_RANGE
    # Nothing was taken, and the right one is.
    await meeting.take(100, samples(100, 5))
    assert await meeting.kept() == samples(0, 105)


@pytest.mark.parametrize(("first", "count"), [(99, 2), (0, 101), (50, 100)])
async def test_a_chunk_of_old_and_new_is_refused_with_where_to_go_on(meeting: Meeting, first: int, count: int) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, samples(0, 100))
    with pytest.raises(AudioOverlap, match=r"^audio\.first_sample: .* track t0.* send from 100$") as raised:
        await meeting.take(first, samples(first, count))
    assert raised.value.grpc_status is StatusCode.OUT_OF_RANGE
    assert await meeting.kept() == samples(0, 100)


async def test_a_track_that_is_not_of_the_config_is_named(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    with pytest.raises(BadRequest, match=r"audio\.track_id: 'nobody' is not a track of the meeting"):
        await meeting.take(0, samples(0, 1), "nobody")


async def test_each_track_counts_for_itself(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED, PARTICIPANT))
    await meeting.take(0, samples(0, 10), "t1")
    await meeting.take(0, samples(5, 3), "t0")
    await meeting.take(10, samples(10, 2), "t1")
    assert (await meeting.kept(0), await meeting.kept(1)) == (samples(5, 3), samples(0, 12))


async def test_a_chunk_may_have_64_kib_and_not_more(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, bytes(MAX_CHUNK_BYTES))
    with pytest.raises(BadRequest, match=r"audio\.data: 65538 bytes; the limit is 65536") as raised:
        await meeting.take(MAX_CHUNK_BYTES // 2, bytes(MAX_CHUNK_BYTES + 2))
    assert raised.value.grpc_status is StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(("size", "fix"), [(0, "at least one sample"), (3, "whole samples"), (6, "whole samples")])
async def test_half_a_moment_is_refused(meeting: Meeting, size: int, fix: str) -> None:
    await meeting.open(of_kinds(MIXED, format=STEREO))
    with pytest.raises(BadRequest, match=rf"audio\.data: .*{fix}"):
        await meeting.take(0, bytes(size))
    await meeting.take(0, bytes(8))
    with pytest.raises(AudioGap, match="leaves a gap; send from 2"):
        await meeting.take(3, bytes(4))


async def test_a_meeting_may_be_as_long_as_the_limit_and_not_longer(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    await meeting.take(0, bytes(2 * RATE_HZ), limit_s=2.0)
    await meeting.take(RATE_HZ, bytes(2 * RATE_HZ), limit_s=2.0)
    with pytest.raises(LiveMeetingTooLong, match="exceeds this server's limit"):
        await meeting.take(2 * RATE_HZ, bytes(2), limit_s=2.0)
    # What came already may come again.
    await meeting.take(0, bytes(2 * RATE_HZ), limit_s=2.0)


async def test_the_length_counts_from_the_start_of_the_meeting(meeting: Meeting) -> None:
    await meeting.open(of_kinds(PARTICIPANT, start_us=1_500_000))
    await meeting.take(0, bytes(RATE_HZ), limit_s=2.0)
    with pytest.raises(LiveMeetingTooLong):
        await meeting.take(RATE_HZ // 2, bytes(2), limit_s=2.0)


async def test_opus_packets_count_at_48_khz_and_are_kept_one_by_one(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED, format=OPUS))
    for place, packet in enumerate(PACKETS):
        await meeting.take(960 * place, packet)
        await meeting.take(960 * place, packet)
    with pytest.raises(AudioGap, match=f"leaves a gap; send from {960 * len(PACKETS)}"):
        await meeting.take(960 * len(PACKETS) + 1, PACKETS[0])
    with pytest.raises(BadRequest, match=r"audio\.data: not a valid Opus packet"):
        await meeting.take(960 * len(PACKETS), b"\x03\x00")
    assert await meeting.kept() == b"".join(encode_record(OPUS, packet) for packet in PACKETS)


def batch(packets: Sequence[bytes]) -> bytes:
    return b"".join(len(packet).to_bytes(4, "big") + packet for packet in packets)


async def test_a_batch_of_packets_is_the_same_as_each_by_itself(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED, format=OPUS))
    await meeting.take(0, batch(PACKETS[:20]), batch=True)
    await meeting.take(0, batch(PACKETS[:20]), batch=True)
    await meeting.take(960 * 20, PACKETS[20])
    with pytest.raises(AudioOverlap, match=f"send from {960 * 21}"):
        await meeting.take(960 * 20, batch(PACKETS[20:30]), batch=True)
    await meeting.take(960 * 21, batch(PACKETS[21:]), batch=True)
    assert await meeting.kept() == b"".join(encode_record(OPUS, packet) for packet in PACKETS)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty; send at least one packet"),
        (batch(PACKETS[:2]) + b"\0\0", "packet 3 of the batch exceeds it"),
        (batch(PACKETS[:2])[:-1], "packet 2 of the batch exceeds it"),
        (b"\xff" * 64, "packet 1 of the batch exceeds it"),
        (batch([PACKETS[0], b""]), "empty"),
        (batch([PACKETS[0], b"\x03\x00"]), "not a valid Opus packet"),
        (batch([b"\xf8"] * 501), "more than 500 packets"),
    ],
    ids=["empty", "half a length", "half a packet", "no lengths", "empty packet", "invalid packet", "too many"],
)
async def test_a_wrong_batch_is_refused_whole(meeting: Meeting, data: bytes, said: str) -> None:
    await meeting.open(of_kinds(MIXED, format=OPUS))
    with pytest.raises(BadRequest, match=rf"audio\.data: .*{said}"):
        await meeting.take(0, data, batch=True)
    assert await meeting.kept() == b""


async def test_only_packets_come_in_batches(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED))
    with pytest.raises(BadRequest, match=r"audio\.length_prefixed: only for AUDIO_ENCODING_OPUS; omit it"):
        await meeting.take(0, batch([samples(0, 10)]), batch=True)


async def test_positions_of_ogg_count_bytes(meeting: Meeting) -> None:
    await meeting.open(of_kinds(MIXED, format=OGG))
    await meeting.take(0, b"OggS" + bytes(7))
    with pytest.raises(AudioGap, match="leaves a gap; send from 11"):
        await meeting.take(12, b"x")
    await meeting.take(11, b"x")
    with pytest.raises(LiveMeetingTooLong):
        await meeting.take(12, bytes(60_000), limit_s=0.5)
