"""The REST contract as data: one entry an endpoint, in the order and numbering of its documentation.

``shape`` is what a 200 body must be; see ``tests/e2e/shapes.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.e2e.shapes import (
    Map,
    Shape,
    any_text,
    clock,
    fraction,
    milliseconds,
    number,
    one_of,
    opinion,
    optional,
    score,
    sha256,
    text,
    uuid,
    whole,
    whole_score,
)

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
CITED = [{"number": whole, "speaker": any_text, "start_ms": milliseconds, "end_ms": milliseconds}]
LINE = {"text": text, "sentences": CITED, "outdated": bool}
NOTES = {
    "summary": [LINE],
    "chapters": [{"title": text, "start_ms": milliseconds, "end_ms": milliseconds, "points": [LINE]}],
    "action_items": [{**LINE, "speaker": optional(uuid), "person": optional(text), "due": optional(text)}],
    "decisions": [LINE],
    "methods": {
        "summary": one_of("extractive"),
        "chapters": one_of("extractive"),
        "action_items": one_of("rules", "none"),
        "decisions": one_of("rules", "none"),
    },
    "reason": optional(text),
}
QUESTION = {"speaker": any_text, "question": text, "start_timestamp": clock}
AUDIO_QUALITY = {
    "id": uuid,
    "alias": text,
    "microphone_quality": optional(score),
    "mos": optional(opinion),
    "noise_db": optional(number),
    "snr_db": optional(number),
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
        "notes": NOTES,
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
    "language": optional(text),
    "language_confidence": optional(fraction),
    "notice": optional(text),
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
        {
            "file_hash": sha256,
            "status": STATUS,
            "progress_percent": whole_score,
            "stage": text,
            "message": text,
            "language": optional(text),
            "language_confidence": optional(fraction),
            "speech_found": optional(bool),
            "notice": optional(text),
            "name": text,
            "date": any_text,
            "duration_ms": milliseconds,
            "created_at": text,
        },
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
                    "people": [text],
                    "progress_percent": whole,
                    "stage": text,
                    "message": any_text,
                    "language": optional(text),
                    "session_id": optional(uuid),
                    "delete_at": optional(text),
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
