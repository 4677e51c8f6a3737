"""A finished meeting as the answers of OpenAI's ``/v1/audio/transcriptions``, whose clients are many.

Fields that OpenAI's Whisper has and that are not measured here (``no_speech_prob``) are absent.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from math import log
from typing import Any

from langcodes import Language

from server.documents.meeting import DocumentedMeeting, Stretch

WORDS, SEGMENTS = "word", "segment"
# What a confidence of 0 counts as in a mean of logarithms.
LEAST_CONFIDENCE = 1e-6
MS_PER_SECOND = 1000


def to_transcription_text(meeting: DocumentedMeeting) -> str:
    """Return everything that was said, in the order of time."""
    return " ".join(statement.text for statement in meeting.statements)


def to_verbose_transcription(meeting: DocumentedMeeting, granularities: Collection[str]) -> dict[str, Any]:
    """Return ``verbose_json``: a segment is what one person says until another does.

    Args:
        granularities: of ``word`` and ``segment``, what the answer has with times.
    """
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": _language_name(meeting.language),
        "duration": _seconds(meeting.duration_ms),
        "text": to_transcription_text(meeting),
    }
    if WORDS in granularities:
        answer["words"] = [
            {"word": word.text, "start": _seconds(word.start_ms), "end": _seconds(word.end_ms)}
            for word in meeting.words
        ]
    if SEGMENTS in granularities:
        answer["segments"] = [
            {
                "id": number,
                "seek": statement.start_ms // 10,
                "start": _seconds(statement.start_ms),
                "end": _seconds(statement.end_ms),
                "text": statement.text,
                "tokens": [],
                "temperature": 0.0,
                "compression_ratio": _compression_ratio(statement.text),
                **_confidence(statement, meeting.words),
            }
            for number, statement in enumerate(meeting.statements)
        ]
    return answer


def to_diarized_transcription(meeting: DocumentedMeeting) -> dict[str, Any]:
    """Return ``diarized_json``: who said what; speakers by the names that the meeting has for them."""
    return {
        "task": "transcribe",
        "duration": _seconds(meeting.duration_ms),
        "text": to_transcription_text(meeting),
        "segments": [
            {
                "type": "transcript.text.segment",
                "id": f"seg_{number}",
                "start": _seconds(statement.start_ms),
                "end": _seconds(statement.end_ms),
                "text": statement.text,
                "speaker": meeting.name_of(statement.speaker),
            }
            for number, statement in enumerate(meeting.statements)
        ],
    }


def _seconds(milliseconds: int) -> float:
    return milliseconds / MS_PER_SECOND


def _language_name(tag: str) -> str:
    """Return a language as Whisper names it: in English, in lower case; empty if unknown."""
    return Language.get(tag).language_name("en").lower() if tag else ""


def _compression_ratio(text: str) -> float:
    """Return the size of a text over its size compressed, as Whisper computes it; repeated text has a high one."""
    data = text.encode()
    return round(len(data) / len(zlib.compress(data)), 4)


def _confidence(statement: Stretch, words: Collection[Stretch]) -> dict[str, float]:
    """Return ``avg_logprob``, the mean logarithm of the words' confidences; empty where the recogniser gives none."""
    known = [
        max(word.confidence, LEAST_CONFIDENCE)
        for word in words
        if word.confidence is not None
        and word.speaker == statement.speaker
        and statement.start_ms <= word.start_ms < max(statement.end_ms, statement.start_ms + 1)
    ]
    return {"avg_logprob": round(sum(map(log, known)) / len(known), 4)} if known else {}
