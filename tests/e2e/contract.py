"""The REST contract as data: one entry an endpoint, in the order and numbering of its documentation.

``shape`` is what a 200 body must be, exactly: a dict holds these keys and no others, a list holds
one shape for all items, a ``Map`` has keys and values of a shape, a type or a check is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

Shape = Any
Check = Callable[[Any], bool]


@dataclass(frozen=True)
class Map:
    """An object whose keys and values have a shape."""

    key: Shape
    value: Shape


def whole(value: Any) -> bool:
    """An integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    """A JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole_score(value: Any) -> bool:
    """An integer from 0 to 100."""
    return whole(value) and 0 <= value <= 100


def score(value: Any) -> bool:
    """A number from 0 to 100."""
    return number(value) and 0 <= value <= 100


def fraction(value: Any) -> bool:
    """A number from 0 to 1."""
    return number(value) and 0 <= value <= 1


def opinion(value: Any) -> bool:
    """A mean opinion score."""
    return number(value) and 1 <= value <= 5


def milliseconds(value: Any) -> bool:
    """A time from the start of the meeting."""
    return whole(value) and value >= 0


def text(value: Any) -> bool:
    """A string that says something."""
    return isinstance(value, str) and bool(value.strip())


def any_text(value: Any) -> bool:
    """A string."""
    return isinstance(value, str)


def uuid(value: Any) -> bool:
    """A UUID."""
    return isinstance(value, str) and str(UUID(value)) == value


def clock(value: Any) -> bool:
    """HH:MM:SS."""
    return isinstance(value, str) and re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", value) is not None


def sha256(value: Any) -> bool:
    """64 hexadecimal digits."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def one_of(*values: str) -> Check:
    """One of these strings."""
    return lambda value: value in values


def optional(shape: Shape) -> Shape:
    """A key that may be absent."""
    return Optional(shape)


@dataclass(frozen=True)
class Optional:
    """See ``optional``."""

    shape: Shape


EMOTION = one_of("anger", "disgust", "fear", "happiness", "neutral", "not_sure")
CAPITALISED_EMOTION = one_of("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Not_sure")
SENTIMENT = one_of("Negative", "Somewhat Negative", "Neutral", "Somewhat Positive", "Positive")
STATUS = one_of("receiving", "queued", "processing", "ready", "failed")
NODES = [{"between": [uuid], "value": whole_score}]
DETAILED_NODES = [{"between": [uuid], "value": whole_score, "exchanges": whole}]
EMOTION_SHARES = dict.fromkeys(("anger", "disgust", "fear", "happiness", "neutral", "not_sure"), score)
PERIOD = {
    "start": milliseconds,
    "end": milliseconds,
    "sentiment": SENTIMENT,
    "energy_score": whole_score,
    "interactions_score": whole_score,
    "emotions": [CAPITALISED_EMOTION],
}
TOPIC = {"topic": text, "start": milliseconds, "end": milliseconds, "keywords": [text]}
DETAIL = {
    "topic": text,
    "start": milliseconds,
    "end": milliseconds,
    "speakers": [{"id": uuid, "alias": text}],
    "sentiment": SENTIMENT,
    "emotions_score": whole_score,
    "energy": {
        "energy_score": whole_score,
        "talking_time": fraction,
        "silence_time": fraction,
        "interactions": {"nodes": NODES},
        "emotions": [EMOTION],
    },
    "interactions_score": whole_score,
    "involvement_score": whole_score,
}
QUESTION = {"speaker": any_text, "question": text, "start_timestamp": clock}
AUDIO_QUALITY = {
    "id": uuid,
    "alias": text,
    "microphone_quality": score,
    "mos": opinion,
    "noise_db": number,
    "snr_db": number,
    "clipping_percent": score,
    "reverb": bool,
    "lagging": bool,
}
SUPPORT = {
    "definition_version": text,
    "speakers": whole,
    "speech_seconds": number,
    "sufficient": bool,
    "reason": any_text,
}
REPORT = {
    "quality_score": score,
    "drivers": [{"name": text, "score": score, "effect": one_of("raises", "lowers", "neutral")}],
    "note": text,
    "support": SUPPORT,
    "group_dynamics": {
        "speakers": [{"meeting_speaking_percentage": score, "id": uuid, "speaking_ms": milliseconds}],
        "meeting_energy": score,
        "sentiment_score": whole_score,
        "meeting_emotions": EMOTION_SHARES,
        "nodes": DETAILED_NODES,
    },
    "context": {
        "text_summary": Map(text, [text]),
        "key_points": Map(uuid, [text]),
        "questions": [QUESTION],
        "topics": [TOPIC],
    },
    "topic_deep_dive": [DETAIL],
    "fluctuations": [PERIOD],
    "flow": {
        "silence_ms": milliseconds,
        "longest_silence_ms": milliseconds,
        "overlap_ratio": optional(fraction),
        "turns_per_minute": number,
        "response_latency_ms": optional(whole),
        "response_latency_p10_ms": optional(whole),
        "response_latency_p90_ms": optional(whole),
        "balance_over_time": [{"start": milliseconds, "end": milliseconds, "balance": score}],
        "speakers": [
            {
                "speaker": uuid,
                "turns": whole,
                "longest_monologue_ms": milliseconds,
                "words_per_minute": optional(number),
                "talk_listen_ratio": optional(number),
                "patience_ms": optional(whole),
                "questions": whole,
                "interruptions": optional(whole),
                "failed_interruptions": optional(whole),
            }
        ],
    },
    "audio_quality": [AUDIO_QUALITY],
}


@dataclass(frozen=True, eq=False)
class Endpoint:
    """One row of the contract."""

    row: str
    feature: str
    method: str
    path: str
    shape: Shape
    by_hash: bool = True
    """Takes ``file-hash`` and answers of a finished meeting."""
    hash_optional: bool = False
    with_period: bool = False
    named_errors: bool = False
    """Errors carry ``error`` beside ``message``."""
    while_processing: int = 409


S = "/single-feature-api"
M = f"{S}/meeting"
CONTRACT = (
    Endpoint("1", "User login", "POST", "/api-login", {"token": text}, by_hash=False),
    Endpoint("2", "Upload", "POST", f"{S}/upload", {"file_hash": sha256, "status": STATUS}, by_hash=False),
    Endpoint(
        "2b",
        "Upload status",
        "GET",
        f"{M}/status",
        {"file_hash": sha256, "status": STATUS, "progress_percent": whole_score, "stage": text, "message": text},
        while_processing=200,
    ),
    Endpoint(
        "2c",
        "List meetings",
        "GET",
        f"{S}/meetings",
        {
            "meetings": [
                {
                    "file_hash": sha256,
                    "name": text,
                    "date": any_text,
                    "status": STATUS,
                    "duration_ms": milliseconds,
                    "speakers": whole,
                    "created_at": text,
                }
            ],
            "next_page_token": any_text,
        },
        by_hash=False,
    ),
    Endpoint("2c", "Delete meeting", "DELETE", M, {}, by_hash=False),
    Endpoint(
        "3",
        "Speaker detection",
        "GET",
        "/api/meeting/speakers",
        {"speakers": [{"alias": text, "id": uuid}]},
        hash_optional=True,
        named_errors=True,
    ),
    Endpoint(
        "4",
        "Rename speaker",
        "PUT",
        "/api/meeting/speakers/{id}",
        {"alias": text, "id": uuid},
        by_hash=False,
        named_errors=True,
    ),
    Endpoint("5", "Speaker balance score", "GET", f"{M}/balance-score", {"balance_score": score}),
    Endpoint("6", "Topic details", "GET", f"{M}/details-by-topics", {"topics": [DETAIL]}, with_period=True),
    Endpoint("7", "Key points", "GET", f"{M}/key-points", {"key_points": Map(uuid, [text])}),
    Endpoint("8", "Summaries", "GET", f"{M}/text-summaries", {"text_summary": Map(text, [text])}),
    Endpoint("9", "Topics and keywords", "GET", f"{M}/topics", {"topics": [TOPIC]}, with_period=True),
    Endpoint("10", "Questions asked", "GET", f"{M}/questions", {"questions": [QUESTION]}),
    Endpoint(
        "11",
        "Transcript",
        "GET",
        f"{M}/transcription",
        {"Transcription": [{"speaker": uuid, "transcription": text, "start_timestamp": clock}]},
    ),
    Endpoint("12", "Conversation dynamics", "GET", f"{M}/meeting-dynamics", {"dynamics": [PERIOD]}, with_period=True),
    Endpoint("13", "Conversation emotions", "GET", f"{M}/meeting-emotions", {"meeting_emotions": EMOTION_SHARES}),
    Endpoint(
        "14",
        "Speaker emotions over time",
        "GET",
        f"{S}/speaker-emotions-over-time",
        {"chunks": [{"start_ms": milliseconds, "end_ms": milliseconds, "emotions": Map(uuid, EMOTION)}]},
    ),
    Endpoint("15", "Sentiment score", "GET", f"{M}/meeting-sentiment", {"sentiment_score": whole_score}),
    Endpoint("16", "Conversational energy", "GET", f"{M}/meeting-energy", {"meeting_energy": score}),
    Endpoint("17", "Interaction score", "GET", f"{M}/meeting-interaction_score", {"meeting_interaction_score": score}),
    Endpoint("18", "Interactions", "GET", f"{M}/meeting-interactions", {"nodes": NODES}),
    Endpoint("19", "Audio quality", "GET", f"{M}/speakers-audio-quality", {"speakers": [AUDIO_QUALITY]}),
    Endpoint(
        "20",
        "Individual balance",
        "GET",
        "/speakers-balance",
        {"speakers": [{"meeting_speaking_percentage": score, "id": uuid}]},
    ),
    Endpoint("21", "NorthStar quality", "GET", f"{M}/quality", REPORT),
)


def mismatch(shape: Shape, value: Any, place: str = "body") -> str:
    """What is wrong with ``value``; empty where it has the shape."""
    if isinstance(shape, dict):
        return _object_mismatch(shape, value, place)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place}: {value!r} is no list"
        return next((m for i, item in enumerate(value) if (m := mismatch(shape[0], item, f"{place}[{i}]"))), "")
    if isinstance(shape, Map):
        if not isinstance(value, dict):
            return f"{place}: {value!r} is no object"
        pairs = [(shape.key, key, f"{place} key") for key in value]
        pairs += [(shape.value, item, f"{place}.{key}") for key, item in value.items()]
        return next((m for s, v, p in pairs if (m := mismatch(s, v, p))), "")
    if isinstance(shape, type):
        return "" if type(value) is shape else f"{place}: {value!r} is no {shape.__name__}"
    return "" if shape(value) else f"{place}: {value!r} is no {shape.__name__}"


def _object_mismatch(shape: dict[str, Shape], value: Any, place: str) -> str:
    if not isinstance(value, dict):
        return f"{place}: {value!r} is no object"
    if unknown := set(value) - set(shape):
        return f"{place}: {sorted(unknown)} is not documented"
    for name, part in shape.items():
        if name not in value:
            if isinstance(part, Optional):
                continue
            return f"{place}: {name} is missing"
        inner = part.shape if isinstance(part, Optional) else part
        if found := mismatch(inner, value[name], f"{place}.{name}"):
            return found
    return ""
