"""Running meetings are found, watched by hash, and answer every insight so far, until the final answers are there."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.e2e.conftest import READY_TIMEOUT_S, Rest
from tests.e2e.contract import CONTRACT, Endpoint
from tests.e2e.live_bot import speech
from tests.e2e.shapes import Shape, milliseconds, mismatch
from tests.e2e.test_live_http import CHUNK_BYTES, OPEN, control, opened, send

PARTICIPANT = {"kind": "TRACK_KIND_PARTICIPANT", "encoding": "AUDIO_ENCODING_PCM_S16LE", "sample_rate_hz": 16_000}
TRACKS = [
    {**PARTICIPANT, "track_id": "mic", "participant_name": "Ada"},
    {**PARTICIPANT, "track_id": "desk", "participant_name": "Ben"},
]
# What every finished meeting answers of itself; the status and lists are no insights.
INSIGHTS = [endpoint for endpoint in CONTRACT if endpoint.by_hash and endpoint.row != "2b"]
# The engine knows words for good once it has heard half a minute after them.
SPEECH_S = 70


def live_shape(endpoint: Endpoint) -> Shape:
    """The shape of an answer with `live=true` while the meeting runs."""
    assert isinstance(endpoint.shape, dict)
    return {**endpoint.shape, "live": bool, "through_ms": milliseconds, "words_final_through_ms": milliseconds}


def answer(rest: Rest, endpoint: Endpoint, file_hash: str) -> dict[str, Any]:
    found = rest.get(endpoint.path, file_hash=file_hash, live="true")
    assert found.status_code == 200, (endpoint.path, found.text)
    body: dict[str, Any] = found.json()
    return body


def transcript(rest: Rest, file_hash: str) -> dict[str, Any]:
    (endpoint,) = (endpoint for endpoint in INSIGHTS if endpoint.row == "11")
    return answer(rest, endpoint, file_hash)


def test_a_running_meeting_is_found_watched_and_answers_everything_so_far(rest: Rest, stranger: Rest) -> None:
    ready = opened(rest, name="Weekly", tracks=TRACKS)
    file_hash = ready["file_hash"]
    listed = {meeting["file_hash"]: meeting for meeting in rest.get(OPEN).json()["meetings"]}
    assert listed[file_hash]["session_id"] == ready["session_id"]
    assert [track["track"]["participant_name"] for track in listed[file_hash]["tracks"]] == ["Ada", "Ben"]
    assert file_hash not in stranger.get(OPEN).text
    pcm = speech(SPEECH_S)
    for start in range(0, len(pcm), CHUNK_BYTES):
        sent = send(rest, ready, start // 2, pcm[start : start + CHUNK_BYTES])
        assert sent.status_code == 200, sent.text
    deadline = time.monotonic() + READY_TIMEOUT_S
    # By then the language is known as well, without which nothing is read as English.
    while (so_far := transcript(rest, file_hash))["words_final_through_ms"] < 10_000:
        assert time.monotonic() < deadline, so_far
        time.sleep(0.5)
    assert so_far["live"] is True
    assert so_far["through_ms"] >= so_far["words_final_through_ms"]
    for endpoint in INSIGHTS:
        assert not mismatch(live_shape(endpoint), body := answer(rest, endpoint, file_hash)), (endpoint.path, body)
        assert body["live"] is True
        assert rest.get(endpoint.path, file_hash=file_hash).status_code == 409
        assert stranger.get(endpoint.path, file_hash=file_hash, live="true").status_code == 404
        if endpoint.with_period:
            wanted = {"file-hash": file_hash, "live": "true", "period_seconds": "10"}
            periods = rest.http.get(endpoint.path, params=wanted)
            assert periods.status_code == 200, periods.text
            assert not mismatch(live_shape(endpoint), periods.json())
    speakers = rest.get("/api/meeting/speakers", file_hash=file_hash, live="true").json()
    assert [speaker["alias"] for speaker in speakers["speakers"]] == ["Ada"]
    latest = rest.get("/api/meeting/speakers", live="true").json()
    assert latest["speakers"][0]["id"] == speakers["speakers"][0]["id"]
    assert control(rest, ready, "CONTROL_FINISH").status_code == 200
    with rest.http.stream("GET", f"{OPEN}/events", params={"file-hash": file_hash}) as watched:
        assert watched.status_code == 200
        lines = [json.loads(line.removeprefix("data: ")) for line in watched.iter_lines() if line.startswith("data: ")]
    assert lines[-1]["event"]["finished"]["file_hash"] == file_hash
    for endpoint in INSIGHTS:
        final = rest.get(endpoint.path, file_hash=file_hash)
        assert final.status_code == 200
        assert not mismatch(endpoint.shape, final.json())
        assert answer(rest, endpoint, file_hash) == {**final.json(), "live": False}
    # What was final while it ran is what the finished meeting has.
    words = transcript(rest, file_hash)["Transcription"][0]["transcription"]
    assert words.split()[:5] == so_far["Transcription"][0]["transcription"].split()[:5]
    assert file_hash not in rest.get(OPEN).text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{OPEN}/events", 400),
        (f"{OPEN}/events?file-hash=abc", 400),
        (f"{OPEN}/events?file-hash={'0' * 64}", 404),
        (f"{OPEN}?page_size=1001", 400),
        (f"{OPEN}?page_token=nonsense", 400),
    ],
    ids=["no hash", "no SHA-256", "unknown hash", "large page", "strange token"],
)
def test_errors_are_the_documented_ones(rest: Rest, path: str, status: int) -> None:
    found = rest.http.get(path)
    assert found.status_code == status, found.text
    assert set(found.json()) == {"message"}
    assert Rest(rest.gateway, "").http.get(path).status_code == 401
