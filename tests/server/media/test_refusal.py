"""A file that cannot be used is told from one that is broken, and the message says what would help."""

from __future__ import annotations

import re
import struct

import pytest

from server.media.refusal import Refused
from tests.recordings import wav
from tests.server.media.media_files import Sound, media, tone
from tests.server.media.test_transcode_tracks import of_codec_apac
from tests.server.media.transcoded import transcoded

LOW = tone(440, 3)
AAC = Sound([(0, LOW)], "aac", 44_100)
KEYS = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "00" * 16, "encryption_kid": "11" * 16}


def wav_header(samples: int, rate_hz: int = 16_000, form: int = 1) -> bytes:
    """A WAV of so many zeros."""
    size = 2 * samples
    fields = struct.pack("<IHHIIHH", 16, form, 1, rate_hz, rate_hz * 2, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + fields + b"data" + struct.pack("<I", size) + bytes(size)
    )


def refused(data: bytes, limit_s: float = 600) -> Refused:
    with pytest.raises(Refused) as caught:
        transcoded(data, limit_s=limit_s)
    return caught.value


WHOLE = media("mp4", AAC)
FILES = {
    "empty file": (b"", "empty", "^the file is empty$"),
    "WAV without samples": (wav_header(0), "no_samples", "^the recording contains no audio: 0 samples$"),
    "WAV of five samples": (
        wav_header(5, 44_100),
        "no_samples",
        "^the recording contains no audio: 5 samples at 44100 Hz, too short to analyse$",
    ),
    "encrypted MP4": (media("mp4", AAC, options=KEYS), "encrypted", "^the audio is encrypted .* unencrypted copy$"),
    "unknown codec in MP4": (of_codec_apac(WHOLE), "unknown_codec", "^the audio uses the codec apac, .* WAV, FLAC or"),
    "unknown codec in WAV": (
        wav_header(16_000, form=0x1234),
        "unknown_codec",
        "uses the codec 0x1234, which cannot be",
    ),
    "MP4 without its index": (
        WHOLE[: len(WHOLE) // 2],
        "not_media",
        r"^the MP4 file is incomplete: its index \(moov\)",
    ),
    "MP4 with half its index": (WHOLE[:-500], "not_media", r"^the MP4 file is incomplete: its index \(moov\)"),
    "FLAC of zeros": (b"fLaC" + bytes(500), "not_media", "^the FLAC file is damaged"),
    "Ogg of zeros": (b"OggS" + bytes(500), "not_media", "^the Ogg file is damaged"),
    "WebM of zeros": (b"\x1a\x45\xdf\xa3" + bytes(500), "not_media", "^the Matroska or WebM file is damaged"),
    "WAV without a format": (b"RIFF\x10\0\0\0WAVEjunk" + bytes(50), "not_media", "^the WAV file is damaged"),
    "archive": (b"PK\x03\x04" + bytes(500), "not_media", "a ZIP archive: upload the recording inside it"),
    "web page": (b"<!doctype html><html>", "not_media", "a web page: download the recording itself"),
    "text": (b"Dear all, " * 100, "not_media", "^not a readable audio or video file"),
    "subtitles": (
        b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n" * 5,
        "not_media",
        "^not a readable audio or video file",
    ),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "not_media", "but a picture$"),
    "playlist": (b"#EXTM3U\n#EXTINF:1,\na.ts\n", "not_media", "but a playlist: upload the recordings themselves$"),
    "list of files": (b"ffconcat version 1.0\nfile a.wav\n", "not_media", "a playlist: upload the recordings"),
    "codec of a game": (wav_header(16_000, form=0x0270), "unknown_codec", "uses the codec atrac3, which cannot be"),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_message_says_what_it_is(kind: str) -> None:
    data, code, message = FILES[kind]
    error = refused(data)
    assert error.code == code
    assert re.search(message, error.reason)
    for words in ("Invalid data", "Errno", "avcodec", "InvalidDataError", "/tmp"):
        assert words not in error.reason


def test_a_file_that_is_truly_damaged_is_called_so() -> None:
    data = bytearray(WHOLE)
    start = data.find(b"mdat") + 4
    data[start : data.find(b"moov") - 4] = bytes(data.find(b"moov") - 4 - start)
    error = refused(bytes(data))
    assert error.code == "undecodable"
    assert error.reason.startswith("the file is damaged: no audio could be decoded; if a player can play it, ")


def test_a_recording_of_10_ms_is_one() -> None:
    _, (pcm,) = transcoded(wav(tone(440, 0.01)))
    assert len(pcm) == 160


def test_silence_of_any_length_is_a_recording() -> None:
    outcome, (pcm,) = transcoded(wav_header(32_000))
    assert len(pcm) == 32_000
    assert outcome.tracks[0].level_dbfs is None


def test_what_is_longer_than_accepted_is_said_to_be() -> None:
    error = refused(wav(tone(440, 3)), limit_s=2)
    assert (error.code, error.reason) == ("too_long", "the recording exceeds this server's limit of 2 s")
    error = refused(media("matroska", Sound([(0, LOW), (50, LOW)])), limit_s=52)
    assert error.code == "too_long"
