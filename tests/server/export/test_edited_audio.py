"""What is handed out of a track with pauses: its audio as it came, with silence that lasts as long as they did."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from server.audio import Edit, Encoding, TrackFormat, append_edits, encode_record
from server.audio.encodings import packet_samples
from server.audio.track_edits import edits_path
from server.export.edited_audio import edited_packets
from server.export.recordings import open_track
from tests.server.audio.opus_audio import raw_packets
from tests.server.export.test_recordings import PCM, content, decoded

# A pause at first, one of hours, a sample too many, a sample too few; and one that no audio follows.
EDITS = [Edit(0, 100, True), Edit(4000, 2_000_000, True), Edit(4000, -480, False), Edit(7000, 320, False)]
BEYOND = Edit(8000, 999, True)


def stored(path: Path, log: bytes, edits: list[Edit]) -> Path:
    path.write_bytes(log)
    edits_path(path).touch()
    append_edits(path, edits)
    return path


async def test_pcm_has_its_pauses(tmp_path: Path) -> None:
    frames = PCM.reshape(-1, 2)
    path = stored(tmp_path / "track-0.log", PCM.tobytes(), [*EDITS, BEYOND])
    with wave.open(io.BytesIO(await content(open_track(path, TrackFormat(Encoding.PCM_S16LE, 16_000, 2))))) as opened:
        heard = np.frombuffer(opened.readframes(opened.getnframes()), "<i2").reshape(-1, 2)
    silent = [np.zeros((count, 2), "<i2") for count in (100, 2_000_000, 320)]
    expected = [silent[0], frames[:4000], silent[1], frames[4480:7000], silent[2], frames[7000:]]
    np.testing.assert_array_equal(heard, np.concatenate(expected))


@pytest.mark.parametrize("encoding", [Encoding.MULAW, Encoding.PCM_F32LE])
async def test_other_samples_are_silent_in_their_own_way(tmp_path: Path, encoding: Encoding) -> None:
    raw = bytes([3]) * 400 if encoding is Encoding.MULAW else np.full(400, 0.5, "<f4").tobytes()
    path = stored(tmp_path / "track-0.log", raw, [Edit(100, 50, True)])
    samples = decoded(await content(open_track(path, TrackFormat(encoding, 8000, 1))))[0].astype(float)
    assert not samples[100:150].any()
    assert np.count_nonzero(samples) == 400
    assert len(samples) == 450


async def test_what_is_left_out_at_the_very_end_is_not_missed(tmp_path: Path) -> None:
    path = stored(tmp_path / "track-0.log", bytes(range(100)), [Edit(90, -30, False)])
    data = await content(open_track(path, TrackFormat(Encoding.MULAW, 8000, 1)))
    assert data[-90:] == bytes(range(90))


@pytest.mark.parametrize("layout", ["mono", "stereo"])
async def test_opus_packets_have_theirs(tmp_path: Path, layout: str) -> None:
    tone = (np.sin(np.arange(16_000) / 20) * 12_000).astype("<i2")
    packets = raw_packets(tone if layout == "mono" else np.stack([tone, tone], axis=1), layout=layout)
    format_ = TrackFormat(Encoding.OPUS, 48_000, 1)
    silence = 48_000 * 5 + 12_345
    log = b"".join(encode_record(format_, packet) for packet in packets)
    path = stored(tmp_path / "track-0.log", log, [Edit(10 * 960, silence, True)])
    samples = decoded(await content(open_track(path, format_)))
    # Within the shortest frame.
    assert abs(samples.shape[1] - 960 * len(packets) - silence) < 120
    assert samples.shape[0] == (1 if layout == "mono" else 2)
    # The coder's look-ahead and its decay are at the edges.
    inside = samples[:, 10 * 960 + 4000 : 10 * 960 + silence - 1000]
    assert np.abs(inside).max() < 1e-3
    assert np.abs(samples[:, 10 * 960 + silence + 4000 :]).max() > 0.2


def test_packets_keep_the_time_within_one_of_them() -> None:
    packet = raw_packets(np.zeros(320, np.int16))[0]
    recorded = [(packet, packet_samples(packet))] * 500
    edits = [Edit(960 * n, -480 if n % 3 else 700, False) for n in range(1, 400, 7)]
    position = missing = length = 0
    waiting = list(edits)
    made = list(edited_packets(iter(recorded), edits))
    assert all(packet_samples(data) == samples for data, samples in made)
    length = sum(samples for _, samples in made)
    for _, samples in recorded:
        while waiting and waiting[0].position <= position:
            missing += waiting.pop(0).silence
        position += samples
    assert abs(length - position - missing) < 960
