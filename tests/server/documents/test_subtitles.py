"""Subtitles, read by FFmpeg and by a library that holds to the WebVTT specification."""

from __future__ import annotations

import html
import io
import re

import av
import pytest
import webvtt
from av.container import InputContainer

from server.documents.cues import find_cues
from server.documents.subtitles import to_srt, to_vtt
from tests.server.documents.documented import KINDS, documented, silent


def read_by_ffmpeg(text: str, form: str) -> list[tuple[int, int]]:
    """Start and end of each cue, milliseconds."""
    with av.open(io.BytesIO(text.encode()), format=form) as container:
        assert isinstance(container, InputContainer)
        (stream,) = container.streams
        assert stream.type == "subtitle"
        assert stream.time_base is not None
        scale = 1000 * stream.time_base
        return [
            (int(packet.pts * scale), int((packet.pts + packet.duration) * scale))
            for packet in container.demux()
            if packet.size and packet.pts is not None and packet.duration
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_ffmpeg_reads_all_cues(kind: str) -> None:
    shown = documented(kind)
    expected = [(cue.start_ms, cue.end_ms) for cue in find_cues(shown)]
    assert len(expected) >= 2
    assert read_by_ffmpeg(to_srt(shown), "srt") == expected
    assert read_by_ffmpeg(to_vtt(shown), "webvtt") == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_of_webvtt_finds_every_word_and_its_speaker(kind: str) -> None:
    shown = documented(kind)
    captions = webvtt.from_string(to_vtt(shown)).captions
    cues = find_cues(shown)
    assert [html.unescape(caption.voice or "") for caption in captions] == [shown.name_of(c.speaker) for c in cues]
    texts = [html.unescape(caption.text).split() for caption in captions]
    assert texts == [" ".join(cue.lines).split() for cue in cues]
    said = "".join(word.text for word in shown.words)
    assert "".join("".join(parts) for parts in texts) == "".join(said.split())


def test_srt_names_a_speaker_where_the_speaker_changes() -> None:
    text = to_srt(documented("german"))
    assert re.findall(r"^(Jürgen Groß|Zoë): ", text, re.M) == ["Jürgen Groß", "Zoë"] * 3


def test_a_meeting_without_words_has_no_cues() -> None:
    assert to_srt(silent()) == ""
    assert to_vtt(silent()) == "WEBVTT\n"
