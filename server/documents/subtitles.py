"""Subtitles: SubRip and WebVTT."""

from __future__ import annotations

from html import escape

from server.documents.cues import find_cues
from server.documents.meeting import DocumentedMeeting


def to_srt(meeting: DocumentedMeeting) -> str:
    """Return SubRip subtitles; a cue begins with a name where the speaker changes."""
    blocks, before = [], None
    for number, cue in enumerate(find_cues(meeting), 1):
        # An arrow would look like the times of a cue.
        text = "\n".join(line.replace("-->", "→") for line in cue.lines)
        if cue.speaker != before:
            text = f"{meeting.name_of(cue.speaker).replace('-->', '→')}: {text}"
        before = cue.speaker
        blocks.append(f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{text}\n")
    return "\n".join(blocks)


def to_vtt(meeting: DocumentedMeeting) -> str:
    """Return WebVTT subtitles (W3C), with the speaker as the voice of each cue."""
    blocks = ["WEBVTT\n"]
    for number, cue in enumerate(find_cues(meeting), 1):
        voice = escape(meeting.name_of(cue.speaker), quote=False)
        text = escape("\n".join(cue.lines), quote=False)
        blocks.append(f"{number}\n{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n<v {voice}>{text}</v>\n")
    return "\n".join(blocks)


def _clock(milliseconds: int, separator: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{separator}{rest:03d}"
