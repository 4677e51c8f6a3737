"""Annotations for scoring tools: RTTM, CTM and STM, one line each. Times are in seconds with three decimals.

Fields are separated by spaces, so that names and words have none of their own: those of a name become ``_``.
"""

from __future__ import annotations

from server.documents.meeting import DocumentedMeeting, Stretch, seconds

CHANNEL = "1"


def to_rttm(meeting: DocumentedMeeting) -> str:
    """Return who speaks when (NIST Rich Transcription, RTTM ``SPEAKER``)."""
    return "".join(
        f"SPEAKER {meeting.file_hash} {CHANNEL} {seconds(part.start_ms)} {seconds(part.duration_ms)}"
        f" <NA> <NA> {_token(meeting.name_of(part.speaker))} <NA> <NA>\n"
        for part in meeting.speech
        if part.duration_ms
    )


def to_ctm(meeting: DocumentedMeeting) -> str:
    """Return the words with their times and, where known, confidences (NIST CTM). It names no speakers."""
    return "".join(
        f"{meeting.file_hash} {CHANNEL} {seconds(word.start_ms)} {seconds(word.duration_ms)} {_token(word.text)}"
        f"{_confidence(word)}\n"
        for word in meeting.words
    )


def to_stm(meeting: DocumentedMeeting) -> str:
    """Return who said what (NIST STM)."""
    return "".join(
        f"{meeting.file_hash} {CHANNEL} {_token(meeting.name_of(one.speaker))} {seconds(one.start_ms)}"
        f" {seconds(one.end_ms)} {one.text}\n"
        for one in meeting.statements
    )


def _token(text: str) -> str:
    return "_".join(text.split()) or "_"


def _confidence(word: Stretch) -> str:
    return "" if word.confidence is None else f" {word.confidence:.3f}"
