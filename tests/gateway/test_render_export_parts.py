"""An export through real Envoy beside policy, consent, retention, receipts and redaction."""

from __future__ import annotations

import hashlib
import io
import json
import wave
from dataclasses import replace
from datetime import timedelta
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from google.api import annotations_pb2

from server.api.export_documents import ANSWERS
from server.audio import AudioLog, Encoding
from server.conversation import RedactionKind, parse_redaction_kinds
from server.live import LiveConfig
from server.meetings.retention import Retention
from server.storage import Job, LiveRow, StoredRedaction, live, meetings
from server.storage.pool import Database
from server.storage.users import User
from tests.gateway.conftest import House
from tests.gateway.test_render_export import EXPORT, analysed, http, unpacked
from tests.recordings import wav
from tests.server.export.test_meeting_audio import RANGES, TONE, track
from tests.server.storage.rows import make_user, new_live_meeting, new_meeting, take
from tests.server.storage.test_results import finish, taken

__all__ = ["http"]
pytestmark = pytest.mark.system

MEETING = "/single-feature-api/meeting"


def of_meeting(files: dict[str, bytes], file_hash: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(files[f"meetings/{file_hash}/meeting.json"])
    return described


async def test_policy_consent_retention_and_receipts_are_in_it(
    house: House, http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path
) -> None:
    hashes = [await analysed(owner, database, tmp_path, name) for name in (b"audio goes", b"words go", b"is deleted")]
    audio_goes, words_go, deleted = hashes
    given = {"consent": [{"who": "Ann Lee", "how": "by e-mail", "when": "in May"}]}
    noted = await http.put(f"{MEETING}/consent", params={"file-hash": words_go}, json=given)
    assert noted.status_code == 200, noted.text
    # The older, the more days it is over.
    for file_hash, days in ((audio_goes, 15), (words_go, 25)):
        aged = "UPDATE meetings SET created_at = now() - $1::interval WHERE file_hash = $2"
        await owner.run(methodcaller("execute", aged, timedelta(days=days), file_hash))
    settings = {"retention_audio_days": 10, "retention_transcript_days": 20, "retention_meeting_days": 30}
    assert (await http.put("/api/organization", json={"policy": settings})).status_code == 200
    rules = {"rules": [{"id": "price", "phrase": {"phrases": ["too much"], "said_by": ""}}]}
    assert (await http.put("/api/organization/live-rules", json=rules)).status_code == 200
    assert (await http.delete(MEETING, params={"file-hash": deleted})).status_code == 200
    assert await Retention(AudioLog(tmp_path), database, 60).enforce() == 3
    files = unpacked((await http.get(EXPORT)).content)
    manifest = json.loads(files["manifest.json"])
    assert (manifest["counts"]["meetings"], manifest["counts"]["deletions"], manifest["gone"]) == (2, 4, [])

    policy = json.loads(files["organization.json"])["policy"]
    assert policy == (await http.get("/api/organization")).json()["organization"]["policy"]
    assert policy.items() >= settings.items()
    assert json.loads(files["organization.json"])["live_rules"] == rules["rules"]
    receipts = (await http.get("/api/organization/deletions")).json()["deletions"]
    assert [json.loads(line) for line in files["deletions/000001.jsonl"].splitlines()] == receipts
    for file_hash in (audio_goes, words_go):
        described = of_meeting(files, file_hash)
        shown = await http.get(f"{MEETING}/retention", params={"file-hash": file_hash})
        assert described["retention"] == shown.json()
        shown = await http.get(f"{MEETING}/consent", params={"file-hash": file_hash})
        assert described["consent"] == shown.json()["consent"]
        assert described["audio"] == []
    assert of_meeting(files, words_go)["consent"][0]["who"] == "Ann Lee"

    # What REST answers with 410 is left out, and what it answers is there.
    left_out = {entry["what"]: entry["reason"] for entry in of_meeting(files, words_go)["left_out"]}
    assert set(of_meeting(files, audio_goes)["left_out"][0]) == {"what", "reason"}
    assert [entry["what"] for entry in of_meeting(files, audio_goes)["left_out"]] == ["audio"]
    assert "deleted on" in left_out["audio"]
    for name, method in ANSWERS.items():
        asked = {"file-hash": words_go}
        if "include_details" in method.input_type.fields_by_name:
            asked["include_details"] = "true"
        shown = await http.get(method.GetOptions().Extensions[annotations_pb2.http].get, params=asked)
        path = f"answers/{name}.json"
        assert (shown.status_code == 410) == (path in left_out), name
        if path in left_out:
            assert left_out[path] == shown.json()["message"]
            assert f"meetings/{words_go}/{path}" not in files
        else:
            assert json.loads(files[f"meetings/{words_go}/{path}"]) == shown.json(), name
        assert f"meetings/{audio_goes}/{path}" in files
    assert 1 < len(left_out) < len(ANSWERS)
    assert {(entry["meeting"], entry["what"]) for entry in manifest["left_out"]} == {
        (audio_goes, "audio"),
        *((words_go, what) for what in left_out),
    }


async def redacted_upload(database: Database, user: User, folder: Path, kinds: str, *, ready: bool = True) -> str:
    """A recording with redaction; returns its hash."""
    data = wav(TONE, mark=f"{kinds} {ready}")
    file_hash = hashlib.sha256(data).hexdigest()
    path = AudioLog(folder).folder(user.organization_id, file_hash) / "original"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    new = replace(new_meeting(user, file_hash, "Call"), redact=parse_redaction_kinds(kinds), key_terms=("Planted",))
    await database.run(lambda c: meetings.accept(c, new), organization_id=user.organization_id)
    if ready:
        await make_ready(database, await taken(database), kinds)
    return file_hash


async def make_ready(database: Database, job: Job, kinds: str) -> None:
    """Finish the analysis of a meeting."""
    hides_names = RedactionKind.NAME in parse_redaction_kinds(kinds)
    stored = StoredRedaction(RANGES, "Call", hides_names=hides_names)
    await database.run(
        lambda c: finish(c, job, redaction=stored, duration_ms=3000, answers={}), organization_id=job.organization_id
    )


async def redacted_live_meeting(database: Database, user: User, folder: Path, kinds: str) -> LiveRow:
    """A live meeting with redaction that goes on, with audio of one participant."""
    ann = replace(track(Encoding.PCM_S16LE), participant_name="Planted Ann")
    config = LiveConfig("Call", None, (ann,), None, "", 60, ("Planted",), redact=kinds)
    row = replace(new_live_meeting(user), config=config.to_document())
    create = partial(live.create, row=row, name="Call", held_on=None, n_speakers=None, language="", redact=kinds)
    await database.run(create, organization_id=user.organization_id)
    path = AudioLog(folder).live_track(user.organization_id, row.file_hash, 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(TONE.tobytes())
    return row


def is_silenced(data: bytes) -> bool:
    """Whether a WAV has sound, and none in the ranges."""
    with wave.open(io.BytesIO(data)) as opened:
        heard = np.frombuffer(opened.readframes(opened.getnframes()), "<i2")
    return len(heard) == len(TONE) and bool(heard[:8000].all()) and not heard[8000:16_000].any()


async def test_redacted_audio_is_silent_or_not_in_it(
    http: httpx.AsyncClient, owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.export.organization.QUIET_S", 0.01)
    user = await make_user(owner, "Org", "a@example.org")
    ready = await redacted_upload(database, user, tmp_path, "phone")
    waits = await redacted_upload(database, user, tmp_path, "phone,name", ready=False)
    goes_on = await redacted_live_meeting(database, user, tmp_path, "phone,name")
    answer = await http.get(EXPORT)
    # While audio is decoded the connection is not silent, and tar programs do not mind.
    assert b"more is to come" in answer.content
    files = unpacked(answer.content)
    assert of_meeting(files, ready)["audio"] == ["recording.wav"]
    assert is_silenced(files[f"meetings/{ready}/recording.wav"])
    for file_hash in (waits, goes_on.file_hash):
        described = of_meeting(files, file_hash)
        assert (described["redact"], described["audio"]) == ("phone,name", [])
        (entry,) = described["left_out"]
        assert entry == {"what": "audio", "reason": "what is redacted in it is known once the meeting is ready"}
        assert {"meeting": file_hash, **entry} in json.loads(files["manifest.json"])["left_out"]
    # What recognition needs until then, and the sound itself, are not in it.
    assert b"Planted" not in answer.content
    assert TONE[8000:16_000].tobytes() not in answer.content
    assert of_meeting(files, goes_on.file_hash)["live_config"]["tracks"][0]["participant_name"] == ""

    run = partial(database.run, organization_id=user.organization_id)
    held = await run(lambda c: take(c, user.organization_id, goes_on.meeting_id))
    job = await run(lambda c: live.finish(c, held, 1, 30))
    assert job is not None
    await make_ready(database, job, "phone,name")
    files = unpacked((await http.get(EXPORT)).content)
    assert of_meeting(files, goes_on.file_hash)["audio"] == ["track-0.wav"]
    assert is_silenced(files[f"meetings/{goes_on.file_hash}/track-0.wav"])
