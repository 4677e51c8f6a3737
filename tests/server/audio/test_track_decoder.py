"""A live track's log decoded: as an upload of the same sound, however it is cut, whatever is in it."""

from __future__ import annotations

import array
import asyncio
import fcntl
import io
import os
import signal
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from server import sandbox
from server.audio.encodings import Encoding, TrackFormat, encode_record
from server.audio.media_decoder import decode as decode_upload
from server.audio.opus_decoder import MAX_RESTARTS
from server.audio.track_decoder import MULAW, OpusLogDecoder, TrackDecoder
from server.children.decode_opus import CPU_LIMIT_S, MEMORY_LIMIT_BYTES
from server.media.downmix import BLOCK
from tests.recordings import RATE_HZ, encoded, sample_pcm
from tests.server.audio.opus_audio import cut, ogg_head, page, raw_packets
from tests.server.audio.test_webm_packets import block as webm_block
from tests.server.audio.test_webm_packets import cluster as webm_cluster
from tests.server.audio.test_webm_packets import header as webm_header

pytestmark = pytest.mark.children

SPEECH = sample_pcm()[: 2 * RATE_HZ]
OPUS = TrackFormat(Encoding.OPUS, 48_000, 1)
OGG = TrackFormat(Encoding.OGG_OPUS, 48_000, 1)
WEBM = TrackFormat(Encoding.WEBM_OPUS, 48_000, 1)
PACKETS = raw_packets(SPEECH)
CODECS = {Encoding.PCM_S16LE: "pcm_s16le", Encoding.PCM_F32LE: "pcm_f32le", Encoding.MULAW: "pcm_mulaw"}
CUTTINGS: list[list[int]] = [[1, 2, 3, 5], [4096], [640, 7, 40_000], [10**9]]


async def decoded(format: TrackFormat, pieces: Sequence[bytes]) -> tuple[NDArray[np.int16], bool]:
    decoder = TrackDecoder(format)
    try:
        parts = [await decoder.decode(piece) for piece in pieces]
        parts.append(await decoder.finish())
        assert {part.dtype for part in parts} == {np.dtype(np.int16)}
        return np.concatenate(parts), decoder.damaged
    finally:
        await decoder.close()


def log_of(packets: Sequence[bytes]) -> bytes:
    return b"".join(encode_record(OPUS, packet) for packet in packets)


def noise(samples: int, channels: int) -> NDArray[np.int16]:
    """Loud noise: every sample matters, and sums run into the limits."""
    return np.random.default_rng(1).integers(-32768, 32768, (samples, channels)).astype(np.int16)


def in_encoding(encoding: Encoding, pcm: NDArray[np.int16]) -> bytes:
    if encoding is Encoding.PCM_F32LE:
        # Not only what int16 can say.
        floats = pcm / np.float32(32768) + np.random.default_rng(2).normal(0, 1e-5, pcm.shape)
        return floats.astype("<f4").tobytes()
    return pcm.astype("<i2" if encoding is Encoding.PCM_S16LE else np.uint8).tobytes()


def as_wav(format: TrackFormat, raw: bytes) -> bytes:
    """The same bytes in a WAV."""
    out = io.BytesIO()
    with av.open(out, "w", format="wav") as container:
        layout = {1: "mono", 2: "stereo"}[format.channels]
        stream: Any = container.add_stream(CODECS[format.encoding], rate=format.sample_rate_hz, layout=layout)
        packet = av.Packet(raw)
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        container.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("encoding", list(CODECS))
async def test_a_live_track_sounds_as_an_upload_of_the_same_samples(
    tmp_path: Path, encoding: Encoding, rate_hz: int, channels: int
) -> None:
    async def progress(_: float) -> None:
        await asyncio.sleep(0)

    format = TrackFormat(encoding, rate_hz, channels)
    raw = in_encoding(encoding, noise(rate_hz // 2 + 77, channels))
    (tmp_path / "original").write_bytes(as_wav(format, raw))
    upload = await decode_upload(tmp_path / "original", tmp_path / "pcm.raw", 60, progress)
    live, damaged = await decoded(format, cut(raw, [1001]))
    assert np.array_equal(live, np.fromfile(upload.tracks[0].path, "<i2"))
    assert not damaged
    assert len(live) == -(-(rate_hz // 2 + 77) * RATE_HZ // rate_hz)


@pytest.mark.parametrize("channels", [1, 2, 5, 8])
@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("encoding", list(CODECS))
async def test_samples_are_the_same_however_the_log_is_cut(encoding: Encoding, rate_hz: int, channels: int) -> None:
    format = TrackFormat(encoding, rate_hz, channels)
    for samples in (3, 40, 1500):
        raw = in_encoding(encoding, noise(samples, channels))
        expected, _ = await decoded(format, [raw])
        for sizes in CUTTINGS:
            found, damaged = await decoded(format, cut(raw, sizes))
            assert np.array_equal(found, expected)
            assert not damaged


async def test_what_the_engine_takes_goes_through_sample_for_sample() -> None:
    found, _ = await decoded(TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 1), cut(SPEECH.tobytes(), [333]))
    assert np.array_equal(found, SPEECH)
    decoder = TrackDecoder(TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 1))
    assert np.array_equal(await decoder.decode(SPEECH[:7].tobytes()), SPEECH[:7])


async def test_eight_channels_are_averaged() -> None:
    pcm = np.repeat(SPEECH[:, None], 8, axis=1)
    pcm[:, 4:] = 0
    found, _ = await decoded(TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 8), [pcm.tobytes()])
    assert np.abs(found - SPEECH / 2).max() <= 0.5


def test_mu_law_is_that_of_g711() -> None:
    decoder: Any = av.CodecContext.create("pcm_mulaw", "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    (frame,) = decoder.decode(av.Packet(bytes(range(256))))
    assert np.array_equal(MULAW, frame.to_ndarray().reshape(-1))


async def test_floats_that_are_no_numbers_are_silence_and_too_large_ones_are_the_largest() -> None:
    raw = np.array([np.nan, np.inf, -np.inf, 2.0, -2.0, 0.5, 1e38], "<f4").tobytes()
    found, _ = await decoded(TrackFormat(Encoding.PCM_F32LE, RATE_HZ, 1), [raw])
    assert found.tolist() == [0, 32767, -32768, 32767, -32768, 16384, 32767]
    found, _ = await decoded(TrackFormat(Encoding.PCM_F32LE, 48_000, 2), [raw * 2000 + SPEECH.tobytes() * 2])
    assert len(found) == -(-(7 * 2000 + len(SPEECH)) // 6)


async def test_half_a_sample_at_the_end_is_left_out_and_noted() -> None:
    found, damaged = await decoded(TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 1), [SPEECH.tobytes() + b"x"])
    assert np.array_equal(found, SPEECH)
    assert damaged


def similarity(found: NDArray[np.int16], source: NDArray[np.int16]) -> float:
    """Correlation at the best delay within 50 ms, -1..1."""
    best = 0.0
    for lag in range(-800, 800):
        a, b = found[max(0, lag) :], source[max(0, -lag) :]
        size = min(len(a), len(b))
        best = max(best, float(np.corrcoef(a[:size], b[:size])[0, 1]))
    return best


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("frame_ms", [2.5, 20, 120])
async def test_raw_opus_sounds_as_its_source(frame_ms: float, layout: str) -> None:
    packets = raw_packets(SPEECH, frame_ms, layout)
    found, damaged = await decoded(OPUS, [log_of(packets)])
    assert not damaged
    assert len(found) == len(packets) * frame_ms * 16
    assert similarity(found, SPEECH) > 0.95


async def test_ogg_opus_sounds_as_its_source_and_begins_and_ends_with_it() -> None:
    found, damaged = await decoded(OGG, [encoded(SPEECH, "ogg", "libopus")])
    assert not damaged
    assert len(found) == len(SPEECH)
    assert np.corrcoef(found, SPEECH)[0, 1] > 0.95


async def test_webm_opus_sounds_as_its_source() -> None:
    found, damaged = await decoded(WEBM, [encoded(SPEECH, "webm", "libopus")])
    assert not damaged
    assert len(SPEECH) <= len(found) < len(SPEECH) + RATE_HZ // 50
    assert np.corrcoef(found[: len(SPEECH)], SPEECH)[0, 1] > 0.95


async def test_a_pause_of_a_recorder_is_silence_in_pieces_of_bounded_size() -> None:
    paused = webm_header() + webm_cluster(0, webm_block(0, PACKETS[0]))
    paused += webm_cluster(3_600_020, b"".join(webm_block(20 * n, packet) for n, packet in enumerate(PACKETS[1:])))
    decoder = TrackDecoder(WEBM)
    try:
        pieces = [piece async for piece in decoder.pieces(paused)]
    finally:
        await decoder.close()
    assert not decoder.damaged
    assert max(map(len, pieces)) <= RATE_HZ
    found = np.concatenate(pieces)
    # Some milliseconds stay within the resampler until more comes.
    assert abs(len(found) - (3600 * RATE_HZ + len(PACKETS) * 320)) <= 320
    assert not found[RATE_HZ : 3600 * RATE_HZ].any()
    assert similarity(found[3600 * RATE_HZ + 320 :], SPEECH) > 0.9


async def test_opus_is_the_same_however_the_log_is_cut() -> None:
    webm = encoded(SPEECH, "webm", "libopus")
    for format, log in ((OPUS, log_of(PACKETS)), (OGG, encoded(SPEECH, "ogg", "libopus")), (WEBM, webm)):
        expected, _ = await decoded(format, [log])
        for sizes in ([50, 1, 9], [4000], [len(log) // 2 + 1]):
            found, damaged = await decoded(format, cut(log, sizes))
            assert np.array_equal(found, expected)
            assert not damaged


async def test_stereo_opus_is_averaged() -> None:
    head, one_side = ogg_head(2), raw_packets(SPEECH, layout="stereo")
    stream = head + b"".join(page([packet], 2 + i, 960 * (i + 1)) for i, packet in enumerate(one_side))
    both, _ = await decoded(OGG, [stream])
    mono, _ = await decoded(OPUS, [log_of(one_side)])
    assert np.array_equal(both, mono)


async def test_packets_and_pages_are_heard_as_soon_as_they_are_whole() -> None:
    pages = [ogg_head(), *(page([packet], 2 + i, 960 * (i + 1)) for i, packet in enumerate(PACKETS))]
    for format, pieces in ((OPUS, [b"", *(encode_record(OPUS, packet) for packet in PACKETS)]), (OGG, pages)):
        decoder, heard = TrackDecoder(format), 0
        for whole, piece in enumerate(pieces):
            heard += len(await decoder.decode(piece))
            # A millisecond is inside the resampler; with more than one channel, what is not yet known to cancel.
            assert heard > whole * 320 - 16 - BLOCK
        assert heard + len(await decoder.finish()) == 320 * len(PACKETS)


async def test_a_packet_that_cannot_be_decoded_is_silence_of_its_length() -> None:
    # By its first byte this is CELT; its bytes are noise.
    hostile = [bytes([31 << 3]) + bytes(np.random.default_rng(i).bytes(200)) for i in range(5)]
    unusable = b"\x09" + bytes(9)  # two frames of one size in an odd number of bytes
    log = log_of([*PACKETS[:40], *hostile, *PACKETS[40:]])
    found, _ = await decoded(OPUS, cut(log, [999]))
    assert len(found) == 320 * (len(PACKETS) + 5)
    found, damaged = await decoded(OPUS, [log_of([unusable, *PACKETS, unusable])])
    assert damaged
    assert len(found) == 320 * len(PACKETS)


@pytest.mark.parametrize("format", [OPUS, OGG, WEBM])
async def test_garbage_raises_nothing_and_is_noted(format: TrackFormat) -> None:
    for seed in range(3):
        garbage = np.random.default_rng(seed).bytes(50_000)
        _, damaged = await decoded(format, cut(garbage, [7000]))
        assert damaged
    logs = {OGG: encoded(SPEECH, "ogg", "libopus"), WEBM: encoded(SPEECH, "webm", "libopus"), OPUS: log_of(PACKETS)}
    found, damaged = await decoded(format, [logs[format][: len(logs[format]) * 2 // 3]])
    assert damaged
    assert 0 < len(found) < len(SPEECH)


async def test_a_stream_whose_decoder_cannot_be_made_is_silence() -> None:
    # More channels than the streams of the mapping hold.
    head = b"OpusHead\x01\x03" + bytes(8) + b"\x01\x01\x00\x00\x01\x09"
    stream = page([head], 0, 0, flags=2) + page([b"\x08abcd"] * 3, 1, 2880)
    found, damaged = await decoded(OGG, [stream])
    assert damaged
    assert len(found) == 3 * 320
    assert not found.any()


def child_of(decoder: TrackDecoder) -> sandbox.Child:
    source = decoder._decoder
    assert isinstance(source, OpusLogDecoder)
    child = source._child._child
    assert child is not None
    return child


async def kill(child: sandbox.Child) -> None:
    """Returns when it is gone; it is not reaped."""
    os.kill(child.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while child.answers:
            await asyncio.sleep(0.01)


async def test_a_child_killed_between_two_calls_is_replaced_and_nobody_hears_it() -> None:
    whole, _ = await decoded(OPUS, [log_of(PACKETS)])
    decoder = TrackDecoder(OPUS)
    found = [await decoder.decode(log_of(PACKETS[:30]))]
    await kill(child_of(decoder))
    found.append(await decoder.decode(log_of(PACKETS[30:])))
    found.append(await decoder.finish())
    assert not decoder.damaged
    assert_sounds_as(np.concatenate(found), whole)


async def test_a_child_killed_with_packets_in_hand_is_replaced_and_they_are_decoded_again() -> None:
    whole, _ = await decoded(OPUS, [log_of(PACKETS)])
    decoder = TrackDecoder(OPUS)
    found = [await decoder.decode(log_of(PACKETS[:30]))]
    child = child_of(decoder)
    # It takes nothing until it is killed, and that is when the packets are on their way.
    os.kill(child.pid, signal.SIGSTOP)
    going_on = asyncio.create_task(decoder.decode(log_of(PACKETS[30:])))
    while not waiting_bytes(child):
        await asyncio.sleep(0)
    await kill(child)
    found += [await going_on, await decoder.finish()]
    assert not decoder.damaged
    assert_sounds_as(np.concatenate(found), whole)


def waiting_bytes(child: sandbox.Child) -> int:
    """Bytes on a child's standard input that it has not read."""
    waiting = array.array("i", [0])
    with Path(f"/proc/{child.pid}/fd/0").open("rb") as pipe:
        fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0]


def assert_sounds_as(found: NDArray[np.int16], expected: NDArray[np.int16]) -> None:
    """Sample for sample but for what a decoder that heard less before may round otherwise."""
    assert len(found) == len(expected)
    assert np.abs(found.astype(int) - expected).max() <= 2


async def test_children_that_go_on_dying_are_not_started_for_ever() -> None:
    decoder, pids = TrackDecoder(OPUS), set()
    source = decoder._decoder
    assert isinstance(source, OpusLogDecoder)
    for packet in PACKETS:
        await decoder.decode(encode_record(OPUS, packet))
        if source._child._child is not None:
            pids.add(source._child._child.pid)
            await kill(source._child._child)
    assert len(pids) == MAX_RESTARTS + 1
    assert not (await decoder.decode(encode_record(OPUS, PACKETS[0]))).any()
    # Half a minute later it is tried again.
    await decoder.decode(log_of(PACKETS * 16))
    assert source._child._child is not None
    assert (await decoder.decode(log_of(PACKETS))).any()
    await decoder.close()


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="processes are looked into by /proc")
async def test_a_child_has_limits_and_ends_with_its_decoder() -> None:
    decoder = TrackDecoder(OPUS)
    await decoder.decode(log_of(PACKETS[:1]))
    pid = child_of(decoder).pid
    limits = dict(line.rsplit(None, 3)[:2] for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:])
    assert limits["Max address space"] == str(MEMORY_LIMIT_BYTES)
    assert limits["Max file size"] == "0"
    assert int(limits["Max cpu time"]) <= CPU_LIMIT_S + 1
    await decoder.close()
    await decoder.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_cancelled_call_leaves_no_child() -> None:
    decoder = TrackDecoder(OPUS)
    await decoder.decode(log_of(PACKETS[:1]))
    child = child_of(decoder)
    os.kill(child.pid, signal.SIGSTOP)
    call = asyncio.create_task(decoder.decode(log_of(PACKETS[1:])))
    while not call.done():
        await asyncio.sleep(0)
        call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await decoder.close()
    assert await child.end() == -signal.SIGKILL


async def test_channels_that_cancel_are_heard_as_those_of_an_upload(tmp_path: Path) -> None:
    async def progress(_: float) -> None:
        await asyncio.sleep(0)

    half = len(SPEECH) // 2
    right = np.concatenate([-SPEECH[:half], SPEECH[half:]])
    format = TrackFormat(Encoding.PCM_S16LE, RATE_HZ, 2)
    raw = np.stack([SPEECH, right], 1).astype("<i2").tobytes()
    (tmp_path / "original").write_bytes(as_wav(format, raw))
    upload = await decode_upload(tmp_path / "original", tmp_path / "pcm.raw", 60, progress)
    expected = np.fromfile(upload.tracks[0].path, "<i2")
    assert np.corrcoef(expected, SPEECH)[0, 1] > 0.99
    for sizes in CUTTINGS[1:]:
        live, _ = await decoded(format, cut(raw, sizes))
        assert np.array_equal(live, expected)
