"""Adapters of bot platforms, fed with what the platforms' documentation says that they send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from meetra_client import MeetraClient, MeetraError, Patience
from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System
from tests.recordings import ROOT, sample_pcm, wav

ADAPTERS = ROOT / "clients" / "python" / "examples" / "adapters"
RATE_HZ = 16_000
SECRET = base64.b64encode(b"of the webhooks of this test").decode()
NAMES = {"uuid-ada": "Ada \U0001f98a", "uuid-王": "王小明"}
SPEECH = sample_pcm()[: 16 * RATE_HZ]


def environment(system: System, **more: str) -> dict[str, str]:
    found = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    login = {"MEETRA_URL": system.gateway, "MEETRA_EMAIL": system.email, "MEETRA_PASSWORD": system.password}
    found["PYTHONPATH"] = os.pathsep.join([str(ROOT / "clients/python"), str(ROOT / "gen")])
    return found | login | more


def transcript_of(rest: Rest, file_hash: str) -> dict[str, Any]:
    """Words and sentences."""
    params = {"file-hash": file_hash, "include_details": "true"}
    answer = rest.http.get("/single-feature-api/meeting/transcription", params=params)
    details: dict[str, Any] = answer.json()["details"]
    return details


def attendee_messages() -> Iterator[dict[str, Any]]:
    """What a bot sends of two people who take turns: 100 ms at a time, nothing of who is silent (docs/adapters.md)."""
    sequences = dict.fromkeys(NAMES, 0)
    for first in range(0, len(SPEECH), RATE_HZ // 10):
        uuid = list(NAMES)[first // (8 * RATE_HZ)]
        sequences[uuid] += 1
        chunk = SPEECH[first : first + RATE_HZ // 10].astype("<i2").tobytes()
        yield {
            "bot_id": "bot_1",
            "trigger": "realtime_audio.per_participant",
            "data": {
                "participant_uuid": uuid,
                "chunk": base64.b64encode(chunk).decode(),
                "sample_rate": RATE_HZ,
                "timestamp_ms": 1_703_123_456_789 + first * 1000 // RATE_HZ,
                "sequence": sequences[uuid],
            },
        }


def signed(event: dict[str, Any]) -> dict[str, Any]:
    """A webhook's body and headers, signed as Attendee documents it."""
    canonical = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hmac.new(base64.b64decode(SECRET), canonical.encode(), hashlib.sha256).digest()
    headers = {"x-webhook-signature": base64.b64encode(digest).decode(), "content-type": "application/json"}
    return {"content": json.dumps(event), "headers": headers}


def attendee_event(trigger: str, **data: Any) -> dict[str, Any]:
    key = hashlib.sha256(repr(data).encode()).hexdigest()
    return signed({"idempotency_key": key, "bot_id": "bot_1", "bot_metadata": None, "trigger": trigger, "data": data})


def join(uuid: str) -> dict[str, Any]:
    return attendee_event(
        "participant_events.join_leave", participant_uuid=uuid, participant_name=NAMES[uuid], event_type="join"
    )


@contextmanager
def attendee_adapter(system: System) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(ADAPTERS / "attendee.py"), str(port)]
    given = environment(system, ADAPTER_TOKEN="sesame", ATTENDEE_WEBHOOK_SECRET=SECRET)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=given, stdout=pipe, stderr=pipe, text=True) as adapter:
        try:
            assert adapter.stderr is not None
            for line in adapter.stderr:
                if "running on" in line:
                    break
            yield adapter, f"127.0.0.1:{port}"
        finally:
            adapter.kill()


def test_an_attendee_bot_is_a_meeting_with_a_track_for_each_participant(system: System) -> None:
    first, second = NAMES
    messages = list(attendee_messages())
    with attendee_adapter(system) as (adapter, address):
        webhook = f"http://{address}/webhook"
        assert httpx.post(webhook, content="{}", headers={"x-webhook-signature": "forged"}).status_code == 401
        with pytest.raises(InvalidStatus), connect(f"ws://{address}/audio/guessed"):
            pass
        assert httpx.post(webhook, **join(first)).status_code == 204
        with connect(f"ws://{address}/audio/sesame") as bot:
            for message in messages[:100]:
                bot.send(json.dumps(message))
        # The connection breaks off, and the bot sends again what it is not sure of.
        with connect(f"ws://{address}/audio/sesame") as bot:
            for message in messages[90:]:
                bot.send(json.dumps(message))
            # Named while they talk.
            assert httpx.post(webhook, **join(second)).status_code == 204
            assert adapter.stdout is not None
            lines = [adapter.stdout.readline() for _ in range(2)]
            bot.send(json.dumps({"bot_id": "bot_1", "trigger": "realtime_audio.mixed", "data": {}}))
            bot.close()
        over = attendee_event("bot.state_change", new_state="ended", old_state="post_processing")
        assert httpx.post(webhook, **over).status_code == 204
        last = adapter.stdout.readline()
    assert lines[0] == f"bot_1: {NAMES[first]} is participant-1\n"
    assert re.fullmatch(rf"bot_1: ({second}|{NAMES[second]}) is participant-2\n", lines[1])
    found = re.fullmatch(r"bot_1: ready ([0-9a-f]{64})\n", last)
    assert found, last
    rest = system.login()
    speakers = rest.get("/api/meeting/speakers", file_hash=found[1]).json()["speakers"]
    assert sorted(one["alias"] for one in speakers) == sorted(NAMES.values())
    alias = {one["id"]: one["alias"] for one in speakers}
    said = [(alias[word["speaker"]], word["start_ms"]) for word in transcript_of(rest, found[1])["words"]]
    # Each said what is on their track, when it was captured.
    assert {name for name, start in said if start < 7500} == {NAMES[first]}
    assert {name for name, start in said if start > 8500} == {NAMES[second]}
    assert rest.get("/single-feature-api/meeting/status", file_hash=found[1]).json()["duration_ms"] == 16_000


def attendee_module() -> Any:
    spec = importlib.util.spec_from_file_location("attendee", ADAPTERS / "attendee.py")
    assert spec is not None
    assert spec.loader is not None
    attendee = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(attendee)
    return attendee


async def test_an_attendee_bot_tries_again_where_no_meeting_could_be_opened() -> None:
    heard = next(attendee_messages())["data"]
    patience = Patience(open_s=0.1)
    async with MeetraClient("http://127.0.0.1:1", token="none", patience=patience) as client:
        bot = attendee_module().Bot("bot_1", client)
        with pytest.raises(MeetraError) as first:
            await bot.hear(heard)
        with pytest.raises(MeetraError) as second:
            await bot.hear({**heard, "sequence": 2})
    assert second.value is not first.value


async def test_attendee_bots_whose_meetings_are_over_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    attendee = attendee_module()
    monkeypatch.setattr(attendee, "MAX_BOTS", 2)
    adapter = attendee.Adapter("sesame", SECRET)
    async with MeetraClient("http://127.0.0.1:1", token="none") as adapter._client:
        first, second = adapter._bot("first"), adapter._bot("second")
        assert adapter._bot("third") is None
        await first.tell("bot.state_change", {"new_state": "ended"})
        assert adapter._bot("third") is not None
        assert adapter._bot("second") is second
        assert adapter._bot("fourth") is None


class Vexa(BaseHTTPRequestHandler):
    """Answers of Vexa's API as its documentation shows them, to whoever has the key."""

    recording = b""
    segments: list[dict[str, Any]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        answers = {
            "/transcripts/google_meet/abc-defg-hij": {
                "id": 129,
                "platform": "google_meet",
                "native_meeting_id": "abc-defg-hij",
                "status": "completed",
                "start_time": "2026-11-15T09:20:02.597046",
                "recordings": [{"id": 42, "status": "completed"}],
                "segments": self.segments,
            },
            "/recordings/42/master?type=audio": {"raw_url": "/recordings/42/media/7/raw"},
        }
        if self.headers["x-api-key"] != "the key":
            self.send_error(401)
        elif self.path == "/recordings/42/media/7/raw":
            self._send(self.recording, "audio/wav")
        elif self.path in answers:
            self._send(json.dumps(answers[self.path]).encode(), "application/json")
        else:
            self.send_error(404)

    def _send(self, body: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_speakers_of_a_vexa_recording_get_the_names_that_vexa_saw(system: System, tmp_path: Path) -> None:
    rest = system.login()
    recording = wav(np.concatenate([SPEECH, SPEECH[:RATE_HZ]]))
    # Who is who: as the product hears it; names come later and are a little late, as those of platforms are.
    file_hash = rest.analysed(recording, name="heard before")
    sentences = transcript_of(rest, file_hash)["sentences"]
    voices = list(dict.fromkeys(one["speaker"] for one in sentences))
    names = dict(zip(voices, ("ليلى حسن", "王小明 \U0001f469‍\U0001f680", "Third", "Fourth"), strict=False))
    Vexa.recording = recording
    Vexa.segments = [
        {
            "segment_id": f"s:{one['number']}",
            "speaker": names[one["speaker"]],
            "text": one["text"],
            "start": one["start_ms"] / 1000 + 0.3,
            "end": one["end_ms"] / 1000 + 0.3,
            "completed": True,
        }
        for one in sentences
    ]
    Vexa.segments += [
        {"speaker": "", "text": "", "start": 0.0, "end": 60.0},
        {"speaker": "In the chat", "source": "chat", "text": "hi", "start": 0.0, "end": 60.0},
    ]
    with ThreadingHTTPServer(("127.0.0.1", 0), Vexa) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        given = environment(system, VEXA_URL=f"http://127.0.0.1:{server.server_port}", VEXA_API_KEY="the key")
        command = [sys.executable, str(ADAPTERS / "vexa.py"), "google_meet"]
        try:
            told = subprocess.run(
                [*command, "abc-defg-hij"],
                env=given,
                check=False,
                capture_output=True,
                text=True,
                timeout=READY_TIMEOUT_S,
            )
            unknown = subprocess.run([*command, "unknown"], env=given, check=False, capture_output=True, text=True)
        finally:
            server.shutdown()
            serving.join()
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1] == file_hash
    aliases = {one["alias"] for one in rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]}
    assert aliases == set(names.values())
    assert unknown.returncode == 1
    assert "404" in unknown.stderr
