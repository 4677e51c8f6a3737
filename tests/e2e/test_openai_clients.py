"""The official client of OpenAI's API, pointed at the gateway, transcribes and lists models."""

from __future__ import annotations

import math
from typing import Any

import openai
import pytest

from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

SECONDS = 20


@pytest.fixture(scope="module")
def recording() -> tuple[str, bytes]:
    return "standup.wav", excerpt(SECONDS, mark="for clients of OpenAI")


def client_of(system: System, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{system.gateway}/v1", api_key=key, max_retries=0, timeout=600)


@pytest.fixture
def client(system: System, rest: Rest) -> openai.OpenAI:
    return client_of(system, rest.token)


@pytest.fixture
def answers(client: openai.OpenAI, rest: Rest, recording: tuple[str, bytes]) -> dict[str, Any]:
    """What REST says of the same recording."""
    client.audio.transcriptions.create(model="whisper-1", file=recording, language="en")
    (meeting, *_) = rest.http.get("/single-feature-api/meetings", params={"search": recording[0]}).json()["meetings"]
    rest.settled(meeting["file_hash"])
    asked = {"file-hash": meeting["file_hash"], "include_details": "true"}
    transcript = rest.http.get("/single-feature-api/meeting/transcription", params=asked).json()
    speakers = rest.http.get("/api/meeting/speakers", params=asked).json()["speakers"]
    return {**meeting, **transcript, "names": {one["id"]: one["alias"] for one in speakers}}


def test_a_recording_is_transcribed_as_text_and_subtitles(
    client: openai.OpenAI, rest: Rest, recording: tuple[str, bytes], answers: dict[str, Any]
) -> None:
    said = " ".join(entry["transcription"] for entry in answers["Transcription"])
    assert len(said) > 100
    assert client.audio.transcriptions.create(model="whisper-1", file=recording).text == said
    plain = client.audio.transcriptions.create(model="whisper-1", file=recording, response_format="text")
    assert plain.strip() == said
    for form in ("srt", "vtt"):
        asked = {"file-hash": answers["file_hash"], "format": form}
        exported = rest.http.get("/single-feature-api/meeting/export", params=asked).text
        given: Any = client.audio.transcriptions.create(model="whisper-1", file=recording, response_format=form)
        assert given == exported


def test_words_and_segments_have_their_times(
    client: openai.OpenAI, recording: tuple[str, bytes], answers: dict[str, Any]
) -> None:
    found = client.audio.transcriptions.create(
        model="whisper-1",
        file=recording,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert (found.language, found.duration) == ("english", SECONDS)
    words = answers["details"]["words"]
    assert found.words is not None
    assert [(word.word, word.start, word.end) for word in found.words] == [
        (word["text"], word["start_ms"] / 1000, word["end_ms"] / 1000) for word in words
    ]
    assert found.segments is not None
    assert [segment.text for segment in found.segments] == [one["transcription"] for one in answers["Transcription"]]
    for segment in found.segments:
        assert 0 <= segment.start <= segment.end <= SECONDS
        assert math.log(1e-6) <= segment.avg_logprob <= 0
    brief = client.audio.transcriptions.create(model="whisper-1", file=recording, response_format="verbose_json")
    assert brief.words is None
    assert brief.segments is not None
    assert len(brief.segments) == len(found.segments)


def test_speakers_are_named(client: openai.OpenAI, recording: tuple[str, bytes], answers: dict[str, Any]) -> None:
    found = client.audio.transcriptions.create(
        model="gpt-4o-transcribe-diarize", file=recording, response_format="diarized_json", chunking_strategy="auto"
    )
    assert [(segment.speaker, segment.text) for segment in found.segments] == [
        (answers["names"][entry["speaker"]], entry["transcription"]) for entry in answers["Transcription"]
    ]
    assert len({segment.speaker for segment in found.segments}) > 1


def test_a_stream_says_the_same_piece_by_piece(client: openai.OpenAI, answers: dict[str, Any]) -> None:
    # Another recording: the stream is open while it is analysed.
    other = "stream.wav", excerpt(SECONDS, mark="for a stream of OpenAI's")
    deltas, done = [], ""
    for event in client.audio.transcriptions.create(model="whisper-1", file=other, stream=True):
        if event.type == "transcript.text.delta":
            deltas.append(event.delta)
        elif event.type == "transcript.text.done":
            done = event.text
    assert len(deltas) > 1
    assert "".join(deltas) == done
    assert done == " ".join(entry["transcription"] for entry in answers["Transcription"])


def test_models_are_listed(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "meetra"
    assert any("Whisper" in name for name in names)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"response_format": "xml"}, "response_format: must be one of json, text, srt"),
        ({"timestamp_granularities": ["minute"]}, "timestamp_granularities"),
        ({"language": "klingonese"}, "language"),
        ({"extra_body": {"answer": "42"}}, "answer: unknown part"),
    ],
    ids=["format", "granularity", "language", "unknown field"],
)
def test_what_is_wrong_is_said_as_openai_says_it(
    client: openai.OpenAI, rest: Rest, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.audio.transcriptions.create(model="whisper-1", file=("wrong.wav", excerpt(3, mark=named)), **options)
    assert named in raised.value.message
    assert raised.value.type == "invalid_request_error"
    assert raised.value.code == "BAD_REQUEST"
    listed = rest.http.get("/single-feature-api/meetings", params={"search": "wrong.wav"}).json()["meetings"]
    assert listed == [], "what is refused leaves nothing"


def test_strangers_and_keys_that_may_not_read_are_refused(
    system: System, rest: Rest, client: openai.OpenAI, recording: tuple[str, bytes]
) -> None:
    with pytest.raises(openai.AuthenticationError):
        client_of(system, "mk_wrong").audio.transcriptions.create(model="whisper-1", file=recording)
    with pytest.raises(openai.AuthenticationError):
        client_of(system, "mk_wrong").models.list()
    key = rest.http.post("/api/keys", json={"name": "uploads only", "scopes": ["upload"]}).json()["secret"]
    with pytest.raises(openai.PermissionDeniedError):
        client_of(system, key).audio.transcriptions.create(model="whisper-1", file=recording)
    with pytest.raises(openai.ConflictError, match="not a readable audio or video file"):
        client.audio.transcriptions.create(model="whisper-1", file=("letter.wav", b"Dear all,"))
