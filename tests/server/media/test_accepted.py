"""What FFmpeg may parse: every kind that the documentation claims, and nothing that opens other files."""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from av.codec import Codec, codecs_available
from av.format import ContainerFormat, formats_available

from server.audio.media_decoder import decode
from server.media import Refused, open_media
from server.media.accepted import CODECS, FORMATS
from server.media.opening import start_s
from tests.recordings import wav
from tests.server.media.media_files import Sound, media, tone
from tests.server.media.test_transcode_kinds import BOTH, KINDS, check

NEIGHBOUR = "neighbour.wav"
# Each names its neighbour in the way of its kind.
POINTING = {
    "concat": f"ffconcat version 1.0\nfile {NEIGHBOUR}\n",
    "concat without a head": f"file {NEIGHBOUR}\nfile {NEIGHBOUR}\n",
    "HLS": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{NEIGHBOUR}\n#EXT-X-ENDLIST\n",
    "HLS key": f'#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-KEY:METHOD=AES-128,URI="{NEIGHBOUR}"\n#EXTINF:5,\na.ts\n',
    "DASH": (
        '<?xml version="1.0"?>\n'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S">'
        '<Period><AdaptationSet contentType="audio" mimeType="audio/mp4"><Representation id="1" bandwidth="1">'
        f"<BaseURL>{NEIGHBOUR}</BaseURL></Representation></AdaptationSet></Period></MPD>\n"
    ),
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "VobSub": "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 00:00:01:000, filepos: 0\n",
    "playlist of a player": f"[playlist]\nFile1={NEIGHBOUR}\n",
    "ASX": f'<asx version="3.0"><entry><ref href="{NEIGHBOUR}"/></entry></asx>',
    "filter graph": f"amovie={NEIGHBOUR}",
    "IMF": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2013"/>',
}


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """The names of files in a folder that are opened meanwhile, as the kernel tells."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    opened: list[str] = []
    try:
        assert libc.inotify_add_watch(watch, os.fsencode(folder), 0x20) >= 0  # IN_OPEN
        yield opened
        data = b""
        try:
            data = os.read(watch, 2**16)
        except BlockingIOError:
            return
        while data:
            length = struct.unpack_from("=iIII", data)[3]
            opened.append(data[16 : 16 + length].rstrip(b"\0").decode())
            data = data[16 + length :]
    finally:
        os.close(watch)


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify, which Linux has")
@pytest.mark.parametrize("kind", POINTING)
def test_a_file_that_names_another_is_refused_before_the_other_is_opened(tmp_path: Path, kind: str) -> None:
    recording, neighbour = tmp_path / "original", tmp_path / NEIGHBOUR
    recording.write_text(POINTING[kind])
    neighbour.write_bytes(wav(tone(440, 1)))
    recording.with_suffix(".sub").write_bytes(b"")
    with watched(tmp_path) as opened:
        neighbour.read_bytes()
    assert opened == [NEIGHBOUR]
    with watched(tmp_path) as opened, pytest.raises(Refused) as refused:
        open_media(recording, recording)
    assert refused.value.code == "not_media"
    assert set(opened) == {"original"}


def test_what_is_listed_exists_and_nothing_listed_reads_other_files_or_devices() -> None:
    demuxers = {name for known in formats_available for name in known.split(",")}
    assert demuxers >= FORMATS
    assert codecs_available >= CODECS
    assert {Codec(name, "r").type for name in CODECS} == {"audio"}
    no_file = 1  # AVFMT_NOFILE: reads from elsewhere than the file it is given
    assert not [name for name in FORMATS if ContainerFormat(name, "r").flags & no_file]


CONTAINERS = {container: (container, codec, rate_hz) for container, codec, rate_hz in KINDS}


@pytest.mark.children
@pytest.mark.parametrize("container", CONTAINERS)
async def test_every_kind_is_decoded_within_the_walls(tmp_path: Path, container: str) -> None:
    _, codec, rate_hz = CONTAINERS[container]
    source = tmp_path / "original"
    source.write_bytes(media(container, Sound([(0, BOTH)], codec, rate_hz)))

    async def progress(_: float) -> None:
        await asyncio.sleep(0)

    audio = await decode(source, tmp_path / "pcm.raw", 600, progress)
    assert not audio.damaged
    check(np.fromfile(audio.tracks[0].path, "<i2"))
    assert audio.tracks[0].path.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("container", ["matroska", "mp4", "mpegts"])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
def test_pictures_that_nobody_decodes_count_for_the_start_of_a_file(tmp_path: Path, container: str, codec: str) -> None:
    source = tmp_path / "original"
    sound = Sound([(1.0, tone(440, 2))], "aac", 44_100)
    source.write_bytes(media(container, sound, picture=(0, 2), picture_codec=codec))
    with open_media(source, source) as opened:
        audio = opened.streams.audio[0]
        late_s = float(audio.start_time * audio.time_base) - (start_s(opened) or 0.0)
    assert late_s == pytest.approx(1, abs=0.05)
