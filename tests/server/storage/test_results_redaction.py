"""With the results of a redacted meeting its ranges are stored, and what may quote it is removed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from server.channels import ChannelUse
from server.conversation import RedactionKind
from server.storage import StoredRedaction, jobs, live, meetings
from server.storage.pool import Database
from tests.server.storage.rows import HASH, make_user, new_live_meeting, new_meeting, queued_meeting, take
from tests.server.storage.test_results import finish, taken

KINDS = frozenset([RedactionKind.PHONE, RedactionKind.NAME])
STORED = StoredRedaction([[0, 10], [500, 900]], "Call of [NAME]", hides_names=True)


async def test_kinds_are_stored_with_the_meeting_and_its_job_and_ranges_with_the_results(
    owner: Database, database: Database
) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    find = partial(meetings.find_analysis, organization_id=user.organization_id, file_hash=HASH)
    assert await run(find) is None
    new = replace(new_meeting(user, name="Call of Daniel"), redact=KINDS, key_terms=("Daniel",))
    await run(lambda c: meetings.accept(c, new))
    assert await run(find) == meetings.AnalysisChoices(ChannelUse.MIXED, KINDS)
    job = await taken(database)
    assert (job.redact, job.key_terms) == (KINDS, ("Daniel",))
    ranges = partial(meetings.find_redacted_ranges, organization_id=user.organization_id, file_hash=HASH)
    assert await run(ranges) == []
    await run(lambda c: finish(c, job, redaction=STORED))
    assert await run(ranges) == STORED.ranges_ms
    state = await run(lambda c: meetings.find_state(c, user.organization_id, HASH))
    assert state is not None
    assert state.redact == "phone,name"
    row = await owner.run(lambda c: c.fetchrow("SELECT name, key_terms FROM meetings"))
    assert row is not None
    assert (row["name"], row["key_terms"]) == ("Call of [NAME]", [])


async def test_a_failed_meeting_is_queued_again_with_other_kinds(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    await queued_meeting(database, user, HASH)
    job = await taken(database)
    await run(lambda c: jobs.fail(c, job, "damaged"))
    assert await run(lambda c: meetings.find_analysis(c, user.organization_id, HASH)) is None
    await run(lambda c: meetings.accept(c, replace(new_meeting(user), redact=KINDS)))
    found = await run(lambda c: meetings.find_analysis(c, user.organization_id, HASH))
    assert found is not None
    assert found.redact == KINDS


async def test_a_live_meeting_s_config_loses_names_and_terms(owner: Database, database: Database) -> None:
    user = await make_user(owner)
    run = partial(database.run, organization_id=user.organization_id)
    tracks = [{"track_id": "a", "participant_name": "Daniel"}, {"track_id": "b", "participant_name": "Laura"}]
    rules = [{"id": "named", "kind": "phrase", "phrases": ["ask Daniel"]}]
    config = {"name": "Call of Daniel", "key_terms": ["Daniel"], "tracks": tracks, "n_speakers": 2, "rules": rules}
    row = replace(new_live_meeting(user), config=config)
    await run(
        lambda c: live.create(
            c, row, name="Call", held_on=None, n_speakers=None, language="", key_terms=("Daniel",), redact="name"
        )
    )
    held = await run(lambda c: take(c, user.organization_id, row.meeting_id))
    job = await run(lambda c: live.finish(c, held, 1, 30))
    assert job is not None
    await run(lambda c: finish(c, job, redaction=replace(STORED, hides_names=False)))
    kept = await run(lambda c: live.find(c, user.organization_id, row.meeting_id))
    assert kept is not None
    assert kept.config == {**config, "name": "Call of [NAME]", "key_terms": [], "rules": []}
    await owner.run(
        lambda c: c.execute(
            "INSERT INTO jobs (meeting_id, organization_id, fence) VALUES ($1, $2, 9)",
            row.meeting_id,
            user.organization_id,
        )
    )
    await run(lambda c: finish(c, replace(job, fence=9), redaction=STORED))
    kept = await run(lambda c: live.find(c, user.organization_id, row.meeting_id))
    assert kept is not None
    assert [track["participant_name"] for track in kept.config["tracks"]] == ["", ""]
    assert [track["track_id"] for track in kept.config["tracks"]] == ["a", "b"]
