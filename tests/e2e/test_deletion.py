"""Deleting a meeting while it is being analysed."""

from __future__ import annotations

from tests.e2e.checkpoint import held
from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

MEETING = "/single-feature-api/meeting"


async def test_a_meeting_deleted_while_it_is_analysed_is_gone_and_harms_no_other(system: System, rest: Rest) -> None:
    doomed = excerpt(20, mark="deleted under way")
    async with held(system, doomed) as point:
        file_hash = rest.upload(doomed).json()["file_hash"]
        await point.reached()
    answer = rest.http.delete(MEETING, params={"file-hash": file_hash})
    assert (answer.status_code, answer.json()) == (200, {})
    assert rest.get(f"{MEETING}/status", file_hash=file_hash).status_code == 404
    # The worker goes on with the next one, and the deleted one does not come back.
    rest.analysed(excerpt(5, mark="after the deletion"))
    assert rest.get(f"{MEETING}/status", file_hash=file_hash).status_code == 404
    # It may come again.
    assert rest.analysed(doomed) == file_hash
