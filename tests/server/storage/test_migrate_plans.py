"""How statements of the API find their rows, where an organization has many: no table that grows is read whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from functools import partial
from hashlib import md5
from uuid import UUID

import pytest

from server.storage import (
    AuditFilter,
    Meant,
    MeetingFilter,
    MeetingOrder,
    MeetingsByAge,
    SearchFilter,
    audit,
    deletions,
    exports,
    insights,
    jobs,
    live,
    meeting_lists,
    meeting_scores,
    meetings,
    retention,
    search_meaning,
    search_queries,
    search_words,
    speakers,
    webhook_deliveries,
)
from server.storage.meeting_scores import ScoresFilter
from server.storage.pool import Connection, Database
from server.storage.search import SKETCHED_SINCE
from tests.databases import Databases
from tests.server.storage.rows import OrganizationRows, fill_every_table

MEETINGS = 6000
# Half of them are of either organization: by turns, as they would come.
FILL = """
ALTER TABLE meetings DISABLE TRIGGER USER;
ALTER TABLE speakers DISABLE TRIGGER USER;
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
    SELECT n, md5('m' || n)::uuid AS id, o.id AS organization_id, o.user_id
    FROM generate_series(1, {meetings}) n
    JOIN (SELECT o.id, u.id AS user_id, row_number() OVER (ORDER BY o.name) - 1 AS place
          FROM organizations o JOIN users u ON u.organization_id = o.id) o ON o.place = n % 2;
INSERT INTO meetings (id, organization_id, user_id, file_hash, name, media_type, size_bytes, status, stage, duration_ms,
                      created_at)
    SELECT id, organization_id, user_id, md5(n::text) || md5(n::text), 'weekly ' || n, 'audio/wav', 1,
           CASE WHEN n % 500 < 2 THEN 'failed' ELSE 'ready' END, 'done', n * 100, now() - n * interval '7 minutes'
    FROM made;
INSERT INTO speakers (id, meeting_id, organization_id, label, alias)
    SELECT gen_random_uuid(), id, organization_id, l, CASE WHEN l = 3 THEN 'Ada ' || n ELSE 'Speaker ' || l END
    FROM made, generate_series(1, 3) l;
INSERT INTO meeting_names (meeting_id, organization_id, name, people)
    SELECT id, organization_id, 'weekly ' || n, E'speaker 1\\nspeaker 2\\nada ' || n FROM made;
INSERT INTO insights (meeting_id, organization_id, family, definition_version, value)
    SELECT id, organization_id, family, '1', '{{}}' FROM made, unnest(ARRAY['quality', 'report']) family;
INSERT INTO conversations (meeting_id, organization_id, document) SELECT id, organization_id, '{{}}' FROM made;
INSERT INTO speaker_edits (meeting_id, organization_id, number, document)
    SELECT id, organization_id, 1, '{{}}' FROM made;
INSERT INTO live_meetings (meeting_id, organization_id, config, finished, concluded)
    SELECT id, organization_id, '{{}}', true, true FROM made;
INSERT INTO live_events (meeting_id, organization_id, event_seq, payload)
    SELECT id, organization_id, l, 'x' FROM made, generate_series(1, 2) l;
INSERT INTO search_meetings (meeting_id, organization_id, version, sentences, model, numbers, sketches)
    SELECT id, organization_id, {sketched}, 4, 'model', '{{0,1,2,3}}', ARRAY[B'10', B'10', B'10', B'10']::bit varying[]
    FROM made;
INSERT INTO search_sentences (meeting_id, organization_id, number, speaker, start_ms, end_ms, language, topic,
                              topic_key, text, configuration, words, model, vector)
    SELECT id, organization_id, l, 1 + l % 3, l, l + 1, 'en', '', '', 'Some words', 'english',
           to_tsvector('simple', CASE WHEN l % 2 = 0 THEN 'budget' ELSE 'rare' || n END)
               || array_to_tsvector(ARRAY['@' || organization_id::text]), 'model', '[1,0]'
    FROM made, generate_series(0, 3) l;
INSERT INTO deletions (id, organization_id, meeting_id, file_hash, part, reason, row_counts, files, size_bytes,
                       files_removed_at)
    SELECT gen_random_uuid(), organization_id, id, md5(n::text) || md5(n::text), 'audio', 'request', '{{}}', 1, 1, now()
    FROM made;
INSERT INTO audit_events (id, organization_id, happened_at, last_at, count, actor, role, method, action, object_kind,
                          object_id, address, request_id, status)
    SELECT gen_random_uuid(), organization_id, now() - n * interval '1 second' - l * interval '1 day',
           now() - n * interval '1 second' - l * interval '1 day', 1, 'user', 'owner', 'MeetingService/GetMeeting',
           'read', 'meeting', md5(n::text) || md5(n::text), '127.0.0.1', 'request', 'OK'
    FROM made, generate_series(1, 4) l;
INSERT INTO webhook_events (id, organization_id, meeting_id, type, body)
    SELECT id, organization_id, id, 'meeting.ready', '{{}}' FROM made;
INSERT INTO webhook_deliveries (id, organization_id, webhook_id, event_id, state, created_at)
    SELECT gen_random_uuid(), m.organization_id, w.id, m.id, 'delivered', now() - n * interval '1 minute'
    FROM made m JOIN webhooks w ON w.organization_id = m.organization_id;
ALTER TABLE meetings ENABLE TRIGGER USER;
ALTER TABLE speakers ENABLE TRIGGER USER;
"""
# Of the organization's meetings, one.
ID = UUID(md5(b"m4002", usedforsecurity=False).hexdigest())
FILE_HASH = 2 * md5(b"4002", usedforsecurity=False).hexdigest()
GROWING = (
    "audit_events conversations deletions insights live_events live_meetings meeting_names meetings search_meetings"
    " search_sentences speaker_edits speakers webhook_deliveries webhook_events"
).split()
# That two pages of a list may fetch of the organization's 3000 meetings, where it is not searched by names.
MOST_MEETINGS = 500
ORDERED_LISTS = tuple(f", {name}" for name in ("all", "failed", "some statuses"))
# What a search looks at, in rows: as of an organization that has many more.
LOOKED_AT, COMPARED, EXACT = 300, 500, 100
Call = Callable[[Connection], Awaitable[object]]


@pytest.fixture
async def database_name(databases: Databases) -> str:
    """Plans depend on the sizes of files, which rows of other tests have made longer."""
    return await databases.anew()


@pytest.fixture
async def ours(owner: Database, database: Database) -> OrganizationRows:
    """One of two organizations with many meetings."""
    rows = [await fill_every_table(owner, database, name) for name in ("Ours", "Theirs")]
    await owner.run(lambda c: c.execute(FILL.format(meetings=MEETINGS, sketched=SKETCHED_SINCE)))
    for table in GROWING:
        await owner.run(lambda c, t=table: c.execute(f"ANALYZE {t}"))  # type: ignore[misc]
    return rows[0]


def lists(ours: OrganizationRows) -> dict[str, Call]:
    """Lists of meetings in each order, with each filter."""
    us, moment = ours.organization_id, datetime.now(UTC)
    orders = {
        f"{by} {descending}": MeetingOrder(by, descending) for by in meeting_lists.SORTS for descending in (True, False)
    }
    filters = {
        "all": MeetingFilter(),
        "failed": MeetingFilter(statuses=("failed",)),
        "some statuses": MeetingFilter(statuses=("failed", "queued", "ready")),
        "a word of all": MeetingFilter(words=("weekly",)),
        "words of one": MeetingFilter(words=("weekly", "4002")),
        "a person of all": MeetingFilter(person="Speaker 1"),
        "a person of one": MeetingFilter(person="Ada 4002"),
        "nobody": MeetingFilter(person="Nobody"),
        "a letter of none": MeetingFilter(words=("ß",)),
        "since": MeetingFilter(held_from=moment.replace(year=2020)),
        "until": MeetingFilter(held_before=moment),
    }

    async def two_pages(connection: Connection, wanted: MeetingFilter, order: MeetingOrder) -> None:
        page = await meeting_lists.list_page(connection, us, 20, None, wanted, order)
        if len(page) == 20:
            after = page[-1].sort_key, page[-1].id
            assert await meeting_lists.list_page(connection, us, 20, after, wanted, order)

    return {
        f"list by {order}, {name}": partial(two_pages, wanted=wanted, order=orders[order])
        for order in orders
        for name, wanted in filters.items()
    }


def reads(ours: OrganizationRows) -> dict[str, Call]:
    """What is asked of one meeting, and other lists."""
    us, id_, file_hash = ours.organization_id, ID, FILE_HASH
    now = datetime.now(UTC)
    return {
        "state": lambda c: meetings.find_state(c, us, file_hash),
        "answer": lambda c: meetings.find_answer(c, us, file_hash, "quality"),
        "latest answer": lambda c: meetings.find_latest_answer(c, ours.user.id, "quality"),
        "existing": lambda c: meetings.find_existing(c, [(us, file_hash)]),
        "stored answer": lambda c: insights.load(c, id_, "quality"),
        "export": lambda c: exports.find_meeting(c, us, file_hash),
        "edits": lambda c: speakers.list_history(c, id_, 20, None),
        "speakers": lambda c: speakers.list_active(c, id_),
        "speaker": lambda c: speakers.find(c, us, id_),
        "live meeting": lambda c: live.find(c, us, id_),
        "live events": lambda c: live.events_after(c, id_, 0, 100),
        "running": lambda c: live.count_running(c, id_),
        "unattended": lambda c: live.find_unattended(c, 60),
        "job": lambda c: jobs.lease_next(c, 30, 3),
        "parts": lambda c: retention.find_parts(c, us, file_hash),
        "due deletions": lambda c: deletions.find_due(c, 100),
        "scores": lambda c: meeting_scores.list_page(c, us, ["quality"], ScoresFilter(), 20, None),
        "scores after": lambda c: meeting_scores.list_page(c, us, ["quality"], ScoresFilter(since=now), 20, (now, id_)),
        "receipts": lambda c: deletions.list_page(c, us, 20, None),
        "receipts after": lambda c: deletions.list_page(c, us, 20, (now, id_)),
        "receipts of a meeting": lambda c: deletions.list_page(c, us, 20, None, file_hash),
        "audit": lambda c: audit.list_page(c, us, AuditFilter(), 20),
        "audit after": lambda c: audit.list_page(c, us, AuditFilter(), 20, (now, id_)),
        "audit of a meeting": lambda c: audit.list_page(c, us, AuditFilter(object_id=file_hash), 20),
        "audit of a user": lambda c: audit.list_page(c, us, AuditFilter(actor=str(id_)), 20),
        "audit of deletions": lambda c: audit.list_page(c, us, AuditFilter(action="delete", since=now), 20),
        "deliveries": lambda c: webhook_deliveries.list_page(c, us, ours.webhook_id, 20, None, None),
        "failed deliveries": lambda c: webhook_deliveries.list_page(c, us, ours.webhook_id, 20, (now, id_), "failed"),
        "deletion": lambda c: deletions.delete_meeting(c, us, id_),
    }


def searches(ours: OrganizationRows) -> dict[str, Call]:
    """Searches by words that many and few have, and by meaning."""
    us = ours.organization_id
    filters = {
        "all": SearchFilter(),
        "a speaker": SearchFilter(speaker="ada"),
        "days": SearchFilter(first_day=date(2020, 1, 1), last_day=date(2099, 1, 1)),
        "a meeting": SearchFilter(file_hash=FILE_HASH),
        "a phrase": SearchFilter(required=("'budget'",), excluded=("'rare7'",)),
    }

    async def search(connection: Connection, words: str, wanted: SearchFilter) -> None:
        configurations = await search_queries.list_configurations(connection, us)
        assert configurations == ["english"]
        queries = await search_queries.make_queries(
            connection, configurations, [("word", word) for word in words.split()]
        )
        meetings = MeetingsByAge(connection, us, wanted)
        indexed = await search_queries.count_sentences(connection, us)
        hits = await search_words.find_words(
            *(connection, us, queries, wanted, meetings, LOOKED_AT, COMPARED, indexed.sentences),
            most_alike=100,
            most=1000,
        )
        meant = Meant("model", (1.0, 0.0))
        close = await search_meaning.find_meaning(
            *(connection, us, configurations, wanted, meant, meetings, indexed), COMPARED, 100, max_exact=EXACT
        )
        keys = list({*((hit.meeting_id, hit.number) for hit in hits[:100]), *close.keys})
        assert len(await search_queries.load(connection, us, keys, meant)) == len(keys)

    return {
        f"search for {words}, {name}": partial(search, words=words, wanted=wanted)
        for words in ("budget", "rare4002", "budget rare4002")
        for name, wanted in filters.items()
    }


@pytest.mark.parametrize(
    "mode", [pytest.param("force_generic_plan", id="any-values"), pytest.param("force_custom_plan", id="these-values")]
)
async def test_no_table_that_grows_is_read_whole(database: Database, ours: OrganizationRows, mode: str) -> None:
    """By PostgreSQL's own counts, those inside functions included. Nor does a list pass over most meetings."""
    calls = lists(ours) | reads(ours) | searches(ours)

    async def count(connection: Connection) -> tuple[Counter[str], int]:
        # What the connection has counted and not handed on yet: also of transactions before.
        rows = await connection.fetch("SELECT relname, seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables")
        whole = Counter({row["relname"]: row["seq_scan"] for row in rows if row["relname"] in GROWING})
        return whole, sum(row["idx_tup_fetch"] for row in rows if row["relname"] == "meetings")

    async def scanned(connection: Connection, name: str, call: Call) -> list[str]:
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        whole_before, fetched_before = await count(connection)
        await call(connection)
        whole, fetched = await count(connection)
        many = fetched - fetched_before > MOST_MEETINGS and name.startswith("list") and name.endswith(ORDERED_LISTS)
        return [*(whole - whole_before), *([f"{fetched - fetched_before} meetings"] if many else [])]

    found = {
        name: await database.run(partial(scanned, name=name, call=call), organization_id=ours.organization_id)
        for name, call in calls.items()
    }
    read_whole = [f"{name}: {' '.join(tables)}" for name, tables in found.items() if tables]
    assert read_whole == [], "\n".join(read_whole)


async def test_many_sentences_are_estimated_from_some(database: Database, ours: OrganizationRows) -> None:
    us = ours.organization_id
    whole, some = [
        await database.run(lambda c, n=sampled: search_queries.count_sentences(c, us, n), organization_id=us)  # type: ignore[misc]
        for sampled in (10_000, 500)
    ]
    assert (whole.meetings, whole.sentences) == (MEETINGS // 2 + 1, 4 * MEETINGS // 2 + 1)
    assert some.sentences == pytest.approx(whole.sentences, rel=0.15)
    assert some.meetings == pytest.approx(whole.meetings, rel=0.15)
