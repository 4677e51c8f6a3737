"""Audio as it is put into an archive: players read it, and it has the samples that were received."""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from server.audio import Encoding, TrackFormat, encode_record, open_file
from server.export import RecordingChanged
from server.export.recordings import AudioFile, open_track, uploaded_recording
from tests.server.audio.opus_audio import raw_packets
from tests.server.audio.test_webm_packets import recorded

PCM = (np.sin(np.arange(16_000) / 20) * 12_000).astype("<i2")


async def content(audio: AudioFile | None) -> bytes:
    assert audio is not None
    with audio:
        data = b"".join([chunk async for chunk in audio.chunks()])
    assert len(data) == audio.size
    assert audio.file.closed
    return data


def decoded(data: bytes) -> np.ndarray:
    """The samples of a file, as FFmpeg reads it."""
    with av.open(io.BytesIO(data), "r") as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


async def test_pcm_is_wav_without_the_sample_that_a_crash_cut(tmp_path: Path) -> None:
    path = tmp_path / "track"
    path.write_bytes(PCM.tobytes() + b"\x01")
    format_ = TrackFormat(Encoding.PCM_S16LE, 16_000, 2)
    audio = open_track(path, format_)
    assert audio is not None
    assert audio.suffix == ".wav"
    with wave.open(io.BytesIO(await content(audio))) as opened:
        assert (opened.getnchannels(), opened.getframerate(), opened.getsampwidth()) == (2, 16_000, 2)
        assert opened.readframes(opened.getnframes()) == PCM.tobytes()


@pytest.mark.parametrize("encoding", [Encoding.PCM_F32LE, Encoding.MULAW])
async def test_other_samples_are_wav_that_ffmpeg_reads(tmp_path: Path, encoding: Encoding) -> None:
    path = tmp_path / "track"
    raw = (PCM / 32768).astype("<f4").tobytes() if encoding is Encoding.PCM_F32LE else bytes(range(256)) * 30
    path.write_bytes(raw)
    samples = decoded(await content(open_track(path, TrackFormat(encoding, 8000, 1))))
    if encoding is Encoding.PCM_F32LE:
        assert samples.astype("<f4").tobytes() == raw
    else:
        assert samples.size == len(raw)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
async def test_opus_packets_become_an_ogg_stream_of_the_same_packets(tmp_path: Path, layout: str) -> None:
    pcm = PCM if layout == "mono" else np.stack([PCM, PCM[::-1]], axis=1)
    packets = raw_packets(pcm, layout=layout)
    path, format_ = tmp_path / "track", TrackFormat(Encoding.OPUS, 48_000, 1)
    # The last one is cut, as by a crash.
    path.write_bytes(b"".join(encode_record(format_, packet) for packet in packets) + b"\xff\x00cut")
    audio = open_track(path, format_)
    assert audio is not None
    assert audio.suffix == ".ogg"
    data = await content(audio)
    with av.open(io.BytesIO(data), "r") as container:
        assert container.streams.audio[0].layout.name == layout
        assert [bytes(packet) for packet in container.demux(audio=0) if packet.size] == packets
    assert decoded(data).shape[1] == 960 * len(packets)


async def test_webm_is_as_it_was_received(tmp_path: Path) -> None:
    path, received = tmp_path / "track", recorded()
    path.write_bytes(received)
    audio = open_track(path, TrackFormat(Encoding.WEBM_OPUS, 48_000, 1))
    assert audio is not None
    assert audio.suffix == ".webm"
    assert await content(audio) == received


@pytest.mark.parametrize("encoding", Encoding)
async def test_a_track_of_any_encoding_is_handed_out(tmp_path: Path, encoding: Encoding) -> None:
    (tmp_path / "track").touch()
    audio = open_track(tmp_path / "track", TrackFormat(encoding, 48_000, 1))
    assert audio is not None
    audio.file.close()


async def test_a_long_opus_track_is_read_in_pieces(tmp_path: Path) -> None:
    packet = b"\x78" + bytes(1200)
    path, format_ = tmp_path / "track", TrackFormat(Encoding.OPUS, 48_000, 1)
    path.write_bytes(encode_record(format_, packet) * 2000)
    audio = open_track(path, format_)
    assert audio is not None
    with audio:
        sizes = [len(chunk) async for chunk in audio.chunks()]
    assert sum(sizes) == audio.size
    assert max(sizes) < 300_000


async def test_an_empty_track_is_one_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "track"
    path.touch()
    assert (await content(open_track(path, TrackFormat(Encoding.OPUS, 48_000, 1))))[:4] == b"OggS"
    assert await content(open_track(path, TrackFormat(Encoding.OGG_OPUS, 48_000, 1))) == b""
    with wave.open(io.BytesIO(await content(open_track(path, TrackFormat(Encoding.PCM_S16LE, 8000, 1))))) as opened:
        assert opened.getnframes() == 0


async def test_recordings_are_as_they_were_uploaded(tmp_path: Path) -> None:
    path, uploaded = tmp_path / "original", os.urandom(600_000)
    path.write_bytes(uploaded)
    for media_type, suffix in (("audio/mpeg", ".mp3"), ("Audio/WAV; x=y", ".wav"), ("a/../../b", "")):
        audio = uploaded_recording(path.open("rb"), media_type)
        assert audio.suffix == suffix
        assert await content(audio) == uploaded


async def test_what_is_not_there_or_is_a_link_is_not_followed(tmp_path: Path) -> None:
    assert open_file(tmp_path / "none") is None
    assert open_track(tmp_path / "none", TrackFormat(Encoding.MULAW, 8000, 1)) is None
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        open_file(tmp_path / "link")


async def test_a_file_that_is_cut_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(bytes(2_000_000))
    audio = uploaded_recording(path.open("rb"), "audio/wav")
    os.truncate(path, 100)
    with pytest.raises(RecordingChanged):
        await content(audio)
