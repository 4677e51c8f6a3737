"""Alerts of a whole live meeting, on a real database and a scripted engine, through a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from meetra.v1 import rules_pb2

from server.live.event_log import read_events
from server.live.rules import LiveRule, RuleKind
from server.storage import LiveRow, live_rules
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.live.live_configs import PARTICIPANT, of_kinds
from tests.server.live.scripted_engine import progress, scripted_engine, turn
from tests.server.live.test_session import caller_of, server_of, until

PRICE = LiveRule("price", RuleKind.PHRASE, phrases=("too much",))
LONG = LiveRule("long", RuleKind.MONOLOGUE, 5)
CONFIG = replace(of_kinds(PARTICIPANT, PARTICIPANT), insights_period_s=5, rules=(PRICE, LONG))
STATES = {rules_pb2.LIVE_ALERT_STATE_PROVISIONAL: "?", rules_pb2.LIVE_ALERT_STATE_WITHDRAWN: "-"}


async def test_alerts_are_told_once_through_a_restart_by_the_rules_of_the_beginning(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    caller = await caller_of(owner)
    # Of the organization: one more, and one of an id that the meeting has.
    quiet = LiveRule("quiet", RuleKind.NOT_HEARD, 10)
    documents = [quiet.to_document(), replace(LONG, bound=9999).to_document()]
    await database.run(
        lambda c: live_rules.replace(c, caller.organization_id, documents), organization_id=caller.organization_id
    )

    async def alerts(row: LiveRow) -> list[str]:
        """Rule, alias, start in seconds and state of what was told, by id."""
        events = [event.alert for event in await read_events(database, row, 0) if event.HasField("alert")]
        told = [f"{a.rule_id} {a.alias} {a.start_ms / 1000:g}{STATES.get(a.state, '')}" for a in events]
        numbers = [alert.alert_id for alert in events]
        assert sorted(set(numbers)) == list(range(1, max(numbers, default=0) + 1))
        return sorted(told)

    async with scripted_engine() as (engine, address):
        async with server_of(database, tmp_path, address) as held:
            meeting = await held.open(CONFIG, caller)
            row = meeting.row
            assert [rule.id for rule in meeting.config.rules] == ["price", "long", "quiet"]
            # P1 only listens: nothing comes of that track.
            await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 20 * RATE_HZ))
            session = await engine.session()
            session.say(turn(1, 0, 4, "this is far too"), progress(5, 5, 0))
            session.say(turn(1, 0, 7, "this is far too much for us"), progress(20, 20, 0))

            async def four() -> bool:
                return len(await alerts(row)) >= 4

            await until(four)
            before = ["long P0 0", "price P0 3?", "quiet P0 7", "quiet P1 0"]
            assert await alerts(row) == before
        # The organization's rules are others now; the meeting keeps its own.
        await database.run(
            lambda c: live_rules.replace(c, caller.organization_id, []), organization_id=caller.organization_id
        )
        async with server_of(database, tmp_path, address) as held:
            meeting = await held.find(row.meeting_id, caller)
            assert [rule.id for rule in meeting.config.rules] == ["price", "long", "quiet"]
            session = await engine.session()
            await meeting.audio.append(meeting.audio.logs[0], bytes(2 * 20 * RATE_HZ))
            heard = turn(1, 0, 7, "this is far too much for us")
            session.say(heard, turn(2, 22, 26, "then a word too"), progress(30, 30, 20))

            async def settled() -> bool:
                return "price P0 3" in await alerts(row)

            await until(settled)
            session.say(turn(2, 22, 26, "then a word too"), turn(3, 26.5, 29, "much about it"), progress(40, 40, 20))

            async def heard_again() -> bool:
                return len(await alerts(row)) >= 7

            await until(heard_again)
            session.say(turn(2, 22, 26, "then a word to"), progress(40, 40, 40))

            async def withdrawn() -> bool:
                return "price P0 25-" in await alerts(row)

            await until(withdrawn)
        after = ["price P0 3", "price P0 25-", "price P0 25?", "quiet P0 29"]
        assert await alerts(row) == sorted([*before, *after])
