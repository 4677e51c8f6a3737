"""Webhooks of a whole system: what happens is told and verified by the specification's library, whoever dies."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System
from tests.recordings import excerpt
from tests.server.webhooks.receiver import receiving

RULES = {"rules": [{"id": "money", "phrase": {"phrases": ["budget"]}}]}


@pytest.fixture(scope="module")
def password(system: System) -> str:
    """Of a user of an organization of their own."""
    return system.add_user("hooks@example.org", "--organization", "Hooks")


@pytest.fixture
def owner(system: System, password: str) -> Rest:
    return system.login("hooks@example.org", password)


def created(owner: Rest, url: str, *events: str) -> dict[str, Any]:
    answer = owner.http.post("/api/webhooks", json={"url": url, "description": "CRM", "events": list(events)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_recording_is_told_once_it_is_ready_though_the_worker_dies(system: System, owner: Rest) -> None:
    async with receiving(status="500 No") as receiver:
        hook = created(owner, receiver.url, "meeting.ready", "meeting.failed")
        receiver.secret = hook["secret"]
        ready = await asyncio.to_thread(owner.analysed, excerpt(8, mark="hooked"), name="Weekly 👋")
        # Told in vain, and noted: the worker that tried is killed, and another one goes on.
        path = f"/api/webhooks/{hook['webhook']['id']}"
        async with asyncio.timeout(READY_TIMEOUT_S):
            while not any(d["log"] for d in owner.get(f"{path}/deliveries").json()["deliveries"]):
                await asyncio.sleep(0.1)
        system.kill("worker")
        receiver.status = "204 No Content"
        broken = (await asyncio.to_thread(owner.upload, b"RIFF" + b"no sound" * 100)).json()["file_hash"]
        await receiver.until(
            lambda: {ready, broken} <= {body["data"]["file_hash"] for body in receiver.accepted.values()}
        )
        failed = [body["type"] for body in receiver.accepted.values() if body["data"]["file_hash"] == broken]
        assert failed == ["meeting.failed"]
        told = [body for body in receiver.accepted.values() if body["data"]["file_hash"] == ready]
        assert [(body["type"], body["data"]["name"]) for body in told] == [("meeting.ready", "Weekly 👋")]
        page = owner.get(f"{path}/deliveries").json()
        (delivery,) = (
            d for d in page["deliveries"] if d["event_id"] in receiver.accepted and d["type"] == "meeting.ready"
        )
        assert delivery["log"][0]["error"] == "HTTP status 500"
        got = owner.get(f"{path}/deliveries/{delivery['id']}").json()["delivery"]
        assert json.loads(got["body"])["data"]["file_hash"] == ready
        # Deleted with its meeting.
        assert owner.http.delete("/single-feature-api/meeting", params={"file-hash": ready}).status_code == 200
        assert owner.get(f"{path}/deliveries/{delivery['id']}").status_code == 404
        assert owner.http.delete(path).status_code == 200


async def test_a_live_meeting_is_told_with_its_alerts(
    system: System, owner: Rest, password: str, tmp_path: Path
) -> None:
    assert owner.http.put("/api/organization/live-rules", json=RULES).status_code == 200
    recording = tmp_path / "live.wav"
    recording.write_bytes(excerpt(45))
    async with receiving() as receiver:
        hook = created(owner, receiver.url)
        receiver.secret = hook["secret"]
        user = ("--email", "hooks@example.org", "--password", password)
        streamed = await asyncio.to_thread(system.meetra, "stream", str(recording), "--speed", "0", "--json", *user)
        assert streamed.returncode == 0, streamed.stderr
        bodies = receiver.accepted.values
        await receiver.until(
            lambda: {"live.started", "live.finished", "meeting.ready"} <= {b["type"] for b in bodies()}
        )
        await receiver.until(lambda: any(b["type"] == "alert" for b in bodies()))
    sessions = {body["data"]["session_id"] for body in bodies()}
    assert len(sessions) == 1
    alert = next(body["data"]["alert"] for body in bodies() if body["type"] == "alert")
    assert (alert["rule_id"], alert["kind"]) == ("money", "LIVE_RULE_KIND_PHRASE")
    assert len([body for body in bodies() if body["type"] != "alert"]) == 3
    owner.http.delete(f"/api/webhooks/{hook['webhook']['id']}")
    assert owner.http.put("/api/organization/live-rules", json={"rules": []}).status_code == 200


async def test_the_command_line_has_all_of_it(system: System, owner: Rest, password: str) -> None:
    user = ("--email", "hooks@example.org", "--password", password)

    async def meetra(*arguments: str, code: int = 0) -> str:
        said = await asyncio.to_thread(system.meetra, "webhooks", *arguments, *user)
        assert said.returncode == code, said.stderr
        return said.stdout if code == 0 else said.stdout + said.stderr

    async with receiving() as receiver:
        added = await meetra("add", receiver.url, "--event", "alert", "--description", "from a terminal")
        receiver.secret = added.split("secret: ")[1].split()[0]
        id_ = added.split()[0]
        assert receiver.url in added
        assert "HTTP status 200" in await meetra("test", id_)
        (line,) = (await meetra("list")).splitlines()
        assert "alert  active  'from a terminal'" in line
        assert receiver.secret not in line
        (delivery,) = (await meetra("deliveries", id_)).splitlines()
        assert "webhook.test  delivered  attempts 1  HTTP status 200" in delivery
        assert await meetra("replay", id_, delivery.split()[0]) == "1 delivery is sent once more\n"
        await receiver.until(lambda: max(receiver.times.values()) == 2)
        rotated = await meetra("rotate", id_, "--keep-hours", "1")
        assert "secret: whsec_" in rotated
        assert receiver.secret not in rotated
        # The receiver verifies with the old secret still.
        assert "HTTP status 200" in await meetra("test", id_)
        receiver.status = "500 No"
        assert "HTTP status 500" in await meetra("test", id_, code=1)
        assert "paused (Paused by a user)" in await meetra("pause", id_)
        assert "is paused" in await meetra("test", id_, code=1)
        assert "live.started" in await meetra("change", id_, "--event", "live.started")
        receiver.status = "200 OK"
        assert "paused" not in await meetra("resume", id_)
        await receiver.until(lambda: len(receiver.accepted) == 3)
        assert json.loads(await meetra("replay", id_, "--json")) == {"queued": 0}
        assert "not public" in await meetra("change", id_, "--url", "https://10.0.0.1/", code=1)
        assert await meetra("delete", id_) == "webhook deleted\n"
        assert await meetra("list") == ""


def test_nobody_but_owners_of_the_organization_sees_a_webhook(system: System, owner: Rest, stranger: Rest) -> None:
    hook = created(owner, "http://127.0.0.1:9/")["webhook"]
    path = f"/api/webhooks/{hook['id']}"
    calls = [
        partial(stranger.get, path),
        partial(stranger.http.put, path, json={"paused": True}),
        partial(stranger.http.post, f"{path}/secret", json={}),
        partial(stranger.http.post, f"{path}/test", json={}),
        partial(stranger.get, f"{path}/deliveries"),
        partial(stranger.http.post, f"{path}/replay", json={}),
        partial(stranger.http.delete, path),
    ]
    assert {call().status_code for call in calls} == {404}
    assert stranger.get("/api/webhooks").json() == {"webhooks": []}
    assert httpx.get(f"{system.gateway}/api/webhooks", timeout=30).status_code == 401
    refused = owner.http.post("/api/webhooks", json={"url": "https://169.254.169.254/latest"})
    assert (refused.status_code, refused.headers["x-meetra-reason"]) == (400, "BAD_REQUEST")
    assert owner.http.delete(path).json() == {}
