"""The same voice in several meetings: off unless wanted, and erased on demand."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

VOICES = "/api/voices"
SPEAKERS = "/api/meeting/speakers"


@pytest.fixture(scope="module")
def listener(system: System) -> Rest:
    """A user of an organization of their own."""
    password = system.add_user("voices@example.org", "--organization", "Listeners", "--role", "owner")
    return system.login("voices@example.org", password)


def stored_vectors(system: System) -> int:
    async def count() -> int:
        connection = await asyncpg.connect((system.data / "run" / "database_url").read_text().strip())
        try:
            found: int = await connection.fetchval("SELECT count(*) FROM voices")
            return found
        finally:
            await connection.close()

    return asyncio.run(count())


def aliases(rest: Rest, file_hash: str) -> list[str]:
    return [s["alias"] for s in rest.get(SPEAKERS, file_hash=file_hash).json()["speakers"]]


def test_a_named_voice_is_known_in_the_next_meeting_and_can_be_erased(system: System, listener: Rest) -> None:
    assert listener.http.get(VOICES).json() == {"recognise": False, "voices": []}
    listener.analysed(excerpt(40, mark="voices off"))
    assert stored_vectors(system) == 0

    assert listener.http.put(f"{VOICES}/settings", json={"recognise": True}).json() == {"recognise": True}
    first = listener.analysed(excerpt(45, mark="voices first"))
    known = listener.http.get(VOICES).json()["voices"]
    assert known
    assert all(voice["name"] == "" and voice["meetings"] == 1 for voice in known)
    speakers = listener.get(SPEAKERS, file_hash=first).json()["speakers"]
    assert listener.http.put(f"{SPEAKERS}/{speakers[1]['id']}", json={"alias": "Zoë"}).status_code == 200

    second = listener.analysed(excerpt(50, mark="voices second"))
    assert "Zoë" in aliases(listener, second)
    details = listener.http.get(SPEAKERS, params={"file-hash": second, "include_details": "true"}).json()["speakers"]
    (recognised,) = [s for s in details if s["alias"] == "Zoë"]
    assert recognised["alias_source"] == "ALIAS_SOURCE_VOICE"
    assert recognised["alias_confidence"] > 0.85
    (voice,) = [v for v in listener.http.get(VOICES).json()["voices"] if v["name"] == "Zoë"]
    assert voice["meetings"] == 2

    assert listener.http.delete(f"{VOICES}/{voice['id']}").json() == {}
    assert listener.http.delete(f"{VOICES}/{voice['id']}").status_code == 404
    assert listener.http.delete(f"{VOICES}/none").status_code == 400
    assert "Zoë" in aliases(listener, second)

    listener.http.put(f"{VOICES}/settings", json={"recognise": False})
    assert listener.http.get(VOICES).json() == {"recognise": False, "voices": []}
    assert stored_vectors(system) == 0


def test_voices_of_an_organization_are_its_own(listener: Rest, stranger: Rest) -> None:
    listener.http.put(f"{VOICES}/settings", json={"recognise": True})
    assert stranger.http.get(VOICES).json() == {"recognise": False, "voices": []}
    listener.http.put(f"{VOICES}/settings", json={"recognise": False})


def test_a_voice_goes_with_the_last_meeting_that_has_it(system: System, listener: Rest) -> None:
    listener.http.put(f"{VOICES}/settings", json={"recognise": True})
    first, second = [listener.analysed(excerpt(45, mark=f"voices deleted {number}")) for number in (1, 2)]
    known = listener.http.get(VOICES).json()["voices"]
    assert known
    for file_hash, left in ((first, len(known)), (second, 0)):
        assert listener.http.delete("/single-feature-api/meeting", params={"file-hash": file_hash}).status_code == 200
        assert len(listener.http.get(VOICES).json()["voices"]) == left
        (receipt,) = listener.get("/api/organization/deletions", file_hash=file_hash).json()["deletions"]
        assert receipt["rows"].get("voices", 0) == len(known) - left
    assert stored_vectors(system) == 0
    listener.http.put(f"{VOICES}/settings", json={"recognise": False})
