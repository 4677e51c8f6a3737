"""Consent over REST and the command line: noted with a meeting, and required where an organization says so."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

CONSENT = "/single-feature-api/meeting/consent"
UPLOAD = "/single-feature-api/upload"
TRACK = {
    "track_id": "mix",
    "kind": "TRACK_KIND_MIXED",
    "encoding": "AUDIO_ENCODING_PCM_S16LE",
    "sample_rate_hz": 16_000,
}


@pytest.fixture(scope="module")
def careful(system: System) -> Rest:
    """An owner whose organization requires consent."""
    password = system.add_user("careful@example.org", "--organization", "Careful", "--role", "owner")
    shown = system.meetra("organizations", "Careful", "--consent-required", "yes")
    assert shown.returncode == 0, shown.stderr
    assert ["consent-required", "yes"] in [line.split() for line in shown.stdout.splitlines()]
    return system.login("careful@example.org", password)


def refused(answer: httpx.Response) -> bool:
    return answer.status_code == 400 and answer.json()["message"].startswith("consent: this organization records no")


def test_uploads_need_consent_before_the_recording(careful: Rest) -> None:
    recording = excerpt(5, mark="consent")
    assert refused(careful.upload(recording))
    assert refused(careful.http.post(UPLOAD, content=recording, headers={"Content-Type": "audio/wav"}))
    # One after the recording comes too late.
    late = {"file": ("a.wav", recording), "consent": (None, b"Daniel; by e-mail")}
    assert refused(careful.http.post(UPLOAD, files=late))
    assert careful.get("/single-feature-api/meetings").json()["meetings"] == []
    # A form as browsers and curl send it: fields in the order in which they are given.
    accepted = careful.upload(recording, consent="Daniel; by e-mail; yesterday\nZoë; said so")
    assert accepted.status_code == 200, accepted.text
    file_hash = accepted.json()["file_hash"]
    noted = careful.get(CONSENT, file_hash=file_hash).json()["consent"]
    assert [(one["who"], one["how"], one["when"], one["noted_by"]) for one in noted] == [
        ("Daniel", "by e-mail", "yesterday", "careful@example.org"),
        ("Zoë", "said so", "", "careful@example.org"),
    ]
    raw = careful.http.post(
        UPLOAD,
        params={"consent": "Zoë; said so"},
        content=excerpt(5, mark="consent raw"),
        headers={"Content-Type": "audio/wav"},
    )
    assert raw.status_code == 200, raw.text


def test_live_meetings_are_opened_with_consent(system: System, careful: Rest, tmp_path: Path) -> None:
    live = "/single-feature-api/live"
    assert refused(careful.http.post(live, json={"tracks": [TRACK]}))
    opened = careful.http.post(live, json={"tracks": [TRACK], "consent": ["Daniel; said so at the start"]})
    assert opened.status_code == 200, opened.text
    ready = opened.json()["ready"]
    assert [one["who"] for one in careful.get(CONSENT, file_hash=ready["file_hash"]).json()["consent"]] == ["Daniel"]
    deleted = careful.http.delete("/single-feature-api/meeting", params={"file-hash": ready["file_hash"]})
    assert deleted.json() == {}
    (receipt,) = careful.get("/api/organization/deletions", file_hash=ready["file_hash"]).json()["deletions"]
    assert (receipt["rows"]["consents"], receipt["rows"]["live_meetings"], receipt["email"]) == (
        1,
        1,
        "careful@example.org",
    )
    recording = tmp_path / "streamed.wav"
    recording.write_bytes(excerpt(5, mark="consent streamed"))
    streamed = system.meetra("stream", str(recording), "--speed", "0", "--consent", "Me; I stream it")
    assert streamed.returncode == 0, streamed.stderr


def test_consent_is_noted_later(careful: Rest, stranger: Rest) -> None:
    file_hash = careful.upload(excerpt(5, mark="consent later"), consent="Me; on paper").json()["file_hash"]
    query = {"file-hash": file_hash}
    people = [{"who": "Daniel", "how": "on paper", "when": "2026-11-23"}]
    put = careful.http.put(CONSENT, params=query, json={"consent": people})
    assert put.status_code == 200, put.text
    assert put.json() == careful.get(CONSENT, file_hash=file_hash).json()
    assert refused(careful.http.put(CONSENT, params=query, json={"consent": []}))
    wrong = careful.http.put(CONSENT, params=query, json={"consent": [{"who": 3}]})
    assert wrong.status_code == 400
    assert "note" not in wrong.json()["message"]
    missing = careful.http.put(CONSENT, params=query, json={"consent": [{"who": "Daniel"}]})
    assert missing.json() == {"message": "Bad request: consent: how: missing; say who consented, and how"}
    for other in (stranger.get(CONSENT, file_hash=file_hash), stranger.http.put(CONSENT, params=query, json={})):
        assert (other.status_code, other.json()) == (404, {"message": "Meeting not found"})
