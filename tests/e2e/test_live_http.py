"""Live meetings by plain HTTP calls, as a browser makes them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System, start_system
from tests.e2e.live_bot import speech
from tests.recordings import encoded
from tests.server.audio.opus_audio import raw_packets

OPEN = "/single-feature-api/live"
TRACK = {
    "track_id": "mic",
    "kind": "TRACK_KIND_MIXED",
    "encoding": "AUDIO_ENCODING_PCM_S16LE",
    "sample_rate_hz": 16_000,
}
CHUNK_BYTES = 32_000


def events(rest: Rest, session_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
    """The meeting's server-sent events, to the last."""
    path = f"{OPEN}/{session_id}/events"
    with rest.http.stream("GET", path, params={"after_event_seq": after}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        for line in answer.iter_lines():
            if line.startswith("data: "):
                message = json.loads(line.removeprefix("data: "))
                if "event" in message:
                    yield message["event"]


def send(rest: Rest, ready: dict[str, Any], first_sample: int, data: bytes) -> httpx.Response:
    place = {"owner": ready["owner"], "track_id": "mic", "first_sample": first_sample}
    return rest.http.post(f"{OPEN}/{ready['session_id']}/audio", params=place, content=data)


def control(rest: Rest, ready: dict[str, Any], action: str) -> httpx.Response:
    path = f"{OPEN}/{ready['session_id']}/control"
    return rest.http.post(path, params={"owner": ready["owner"]}, json={"action": action})


def opened(rest: Rest, **config: Any) -> dict[str, Any]:
    answer = rest.http.post(OPEN, json=config or {"name": "Browser", "tracks": [TRACK]})
    assert answer.status_code == 200, answer.text
    ready: dict[str, Any] = answer.json()["ready"]
    return ready


def test_a_meeting_is_held_by_plain_calls(rest: Rest) -> None:
    ready = opened(rest)
    assert ready["limits"]["chunk_bytes"] == 65_536
    seen: list[dict[str, Any]] = []
    watching = threading.Thread(target=lambda: seen.extend(events(rest, ready["session_id"])), daemon=True)
    watching.start()
    pcm = speech(12)
    for start in range(0, len(pcm), CHUNK_BYTES):
        answer = send(rest, ready, start // 2, pcm[start : start + CHUNK_BYTES])
        assert answer.status_code == 200, answer.text
        (position,) = answer.json()["ack"]["tracks"]
        assert position == {"track_id": "mic", "next_sample": min(len(pcm), start + CHUNK_BYTES) // 2}
    # Sent again after a lost answer: known already, and no harm done.
    assert send(rest, ready, 0, pcm[:CHUNK_BYTES]).json()["ack"]["tracks"][0]["next_sample"] == len(pcm) // 2
    assert control(rest, ready, "CONTROL_FLUSH").json() == {}
    assert control(rest, ready, "CONTROL_FINISH").json() == {}
    watching.join(timeout=READY_TIMEOUT_S)
    assert seen[-1]["finished"]["status"] == "ready"
    assert [event["event_seq"] for event in seen] == list(range(1, len(seen) + 1))
    turns = [event["turn"] for event in seen if "turn" in event]
    assert any(word["text"] == "morning" for turn in turns for word in turn["words"])
    # No number comes as a string, however large.
    assert all(isinstance(turn[name], int) for turn in turns for name in ("segment_id", "start_ms", "end_ms"))
    late = list(events(rest, ready["session_id"], after=seen[-1]["event_seq"] - 1))
    assert late == seen[-1:]
    share = rest.get("/speakers-balance", file_hash=ready["file_hash"])
    assert share.status_code == 200


def test_errors_are_the_documented_ones(rest: Rest) -> None:
    ready = opened(rest)
    gap = send(rest, ready, 99, b"abcd")
    assert gap.status_code == 400
    assert "leaves a gap; send from 0" in gap.json()["message"]
    stranger = send(rest, {**ready, "owner": ready["owner"] + 1}, 0, b"abcd")
    assert stranger.status_code == 409
    refused = rest.http.post(OPEN, json={"session_id": ready["session_id"]})
    assert (refused.status_code, "take_over" in refused.json()["message"]) == (409, True)
    taken = rest.http.post(OPEN, json={"session_id": ready["session_id"], "take_over": True}).json()["ready"]
    assert send(rest, ready, 0, b"abcd").status_code == 409
    assert send(rest, taken, 0, b"abcd").status_code == 200
    unknown = rest.http.post(OPEN, json={"tracks": [{**TRACK, "kind": "TRACK_KIND_UNSPECIFIED"}]})
    assert unknown.status_code == 400
    assert "config.tracks[0].kind" in unknown.json()["message"]
    missing = rest.http.get(f"{OPEN}/00000000-0000-4000-8000-000000000000/events")
    assert (missing.status_code, missing.json()) == (404, {"message": "Live session not found"})
    nobody = Rest(rest.gateway, "")
    assert nobody.http.get(f"{OPEN}/{ready['session_id']}/events").json() == {"message": "Unauthorized"}
    assert control(rest, taken, "CONTROL_FINISH").status_code == 200
    assert send(rest, taken, 2, b"abcd").status_code == 409


def test_opus_packets_come_in_batches_and_calls_may_overlap(rest: Rest) -> None:
    packets = raw_packets(np.frombuffer(speech(12), "<i2"))
    track = {"track_id": "mic", "kind": "TRACK_KIND_MIXED", "encoding": "AUDIO_ENCODING_OPUS"}
    ready = opened(rest, name="Opus", tracks=[track])

    def post(first: int, batch: bool, body: bytes) -> httpx.Response:
        place = {"owner": ready["owner"], "track_id": "mic", "first_sample": first * 960, "length_prefixed": batch}
        return rest.http.post(f"{OPEN}/{ready['session_id']}/audio", params=place, content=body)

    def batch(packets: list[bytes]) -> bytes:
        return b"".join(len(packet).to_bytes(4, "big") + packet for packet in packets)

    half = len(packets) // 2
    answer = post(0, True, batch(packets[:half]))
    assert answer.json()["ack"]["tracks"] == [{"track_id": "mic", "next_sample": half * 960}], answer.text
    refused = post(half, True, batch(packets[half : half + 2])[:-1])
    assert (refused.status_code, "packet 2 of the batch" in refused.json()["message"]) == (400, True)
    # The rest one by one, eight calls at a time: whichever arrives first, each is taken.
    with ThreadPoolExecutor(8) as calls:
        answers = list(calls.map(lambda place: post(place, False, packets[place]), range(half, len(packets))))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers][:3]
    assert max(a.json()["ack"]["tracks"][0]["next_sample"] for a in answers) == len(packets) * 960
    assert control(rest, ready, "CONTROL_FINISH").json() == {}
    seen = list(events(rest, ready["session_id"]))
    assert seen[-1]["finished"]["status"] == "ready"
    assert any(word["text"] == "morning" for event in seen if "turn" in event for word in event["turn"]["words"])


def test_what_a_media_recorder_makes_is_sent_as_it_comes(rest: Rest) -> None:
    webm = encoded(np.frombuffer(speech(12), "<i2").astype(np.int16), "webm", "libopus")
    track = {"track_id": "mic", "kind": "TRACK_KIND_MIXED", "encoding": "AUDIO_ENCODING_WEBM_OPUS"}
    ready = opened(rest, name="Recorder", tracks=[track])
    for start in range(0, len(webm), 3_333):
        answer = send(rest, ready, start, webm[start : start + 3_333])
        assert answer.status_code == 200, answer.text
    assert answer.json()["ack"]["tracks"][0]["next_sample"] == len(webm)
    assert control(rest, ready, "CONTROL_FINISH").json() == {}
    seen = list(events(rest, ready["session_id"]))
    assert seen[-1]["finished"]["status"] == "ready"
    assert any(word["text"] == "morning" for event in seen if "turn" in event for word in event["turn"]["words"])
    assert not any(event["warning"]["code"] == "WARNING_CODE_UNDECODABLE" for event in seen if "warning" in event)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists another process's open files by /proc")
def test_meetings_that_are_deleted_leave_nothing_open_and_nothing_on_disk(rest: Rest, system: System) -> None:
    tracks = [{**TRACK, "track_id": "mic"}, {**TRACK, "track_id": "other"}]
    hashes = []
    # More than an organization may run at once.
    for _ in range(100):
        ready = opened(rest, name="Gone", tracks=tracks)
        assert send(rest, ready, 0, b"marker" * 1000).status_code == 200
        assert rest.http.delete("/single-feature-api/meeting", params={"file-hash": ready["file_hash"]}).is_success
        hashes.append(ready["file_hash"])
    held = [str(link.readlink()) for link in Path(f"/proc/{system.pid('api')}/fd").iterdir()]
    assert [path for path in held if any(file_hash in path for file_hash in hashes)] == []
    assert [path for path in (system.data / "audio").rglob("*") if path.name in hashes] == []


def test_more_running_meetings_than_an_organization_may_have_are_refused(rest: Rest, stranger: Rest) -> None:
    ready = []
    while (answer := rest.http.post(OPEN, json={"name": "Many", "tracks": [TRACK]})).status_code == 200:
        ready.append(answer.json()["ready"])
        assert len(ready) <= 64
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert "This organization has reached its limit of 64 running live meetings" in answer.json()["message"]
    others = opened(stranger)
    assert control(stranger, others, "CONTROL_FINISH").status_code == 200
    for one in ready:
        rest.http.delete("/single-feature-api/meeting", params={"file-hash": one["file_hash"]})
    again = opened(rest)
    assert control(rest, again, "CONTROL_FINISH").status_code == 200
    # Other tests ask for the latest meeting.
    for user, meeting in ((stranger, others), (rest, again)):
        assert user.http.delete("/single-feature-api/meeting", params={"file-hash": meeting["file_hash"]}).is_success


def test_pages_of_named_origins_may_call_and_others_not(tmp_path: Path) -> None:
    system = start_system(tmp_path / "data", "--cors-origin", "https://app.example")
    try:
        ours, other = {"origin": "https://app.example"}, {"origin": "https://else.example"}
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        allowed = httpx.options(f"{system.gateway}{OPEN}", headers={**ours, **asked})
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "authorization" in allowed.headers["access-control-allow-headers"]
        refused = httpx.post(f"{system.gateway}{OPEN}", headers=ours, json={})
        # An error can be read by the page as well.
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://app.example")
        for answer in (
            httpx.options(f"{system.gateway}{OPEN}", headers={**other, **asked}),
            httpx.post(f"{system.gateway}{OPEN}", headers=other, json={}),
        ):
            assert "access-control-allow-origin" not in answer.headers
    finally:
        assert system.stop() == 0
