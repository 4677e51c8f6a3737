"""A meeting from its first sample to `finished`, and its events."""

from __future__ import annotations

import asyncio

import pytest
from meetra.v1 import rules_pb2

from meetra_client import (
    MeetraClient,
    MeetraError,
    SessionNotFound,
)
from tests.clients.python.server import CrookedServer
from tests.clients.python.talking import MIX, SECOND, all_events, assert_whole, give, noise


async def test_a_meeting_goes_from_its_first_sample_to_finished(client: MeetraClient, server: CrookedServer) -> None:
    audio = noise(3)
    terms = ["Kubernetes", "Zoë"]
    async with client.live(name="Standup", tracks=[MIX], n_speakers=3, language="en", key_terms=terms) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        await give(meeting, audio)
        await meeting.flush()
        finished = await meeting.finish()
        assert (meeting.session_id, meeting.file_hash) == ("session 1", finished.file_hash)
        assert meeting.position("mix") == meeting.acknowledged("mix") == 48_000
        assert (meeting.reconnects, meeting.last_event_seq) == (0, len(server.only.events))
        assert (meeting.lag_ms, meeting.words_lag_ms) == (len(server.chunks), 10 * len(server.chunks))
    assert_whole(server, await reading, mix=audio)
    assert server.flushes == 1
    assert (server.configs[0].name, server.configs[0].n_speakers, server.configs[0].language) == ("Standup", 3, "en")
    assert list(server.configs[0].key_terms) == terms


async def test_rules_and_pauses_are_those_of_the_config(client: MeetraClient, server: CrookedServer) -> None:
    rule = rules_pb2.LiveRule(id="long", monologue=rules_pb2.MonologueRule(longer_than_s=60))
    async with client.live(tracks=[MIX], rules=[rule], pause_s=5, turn_pause_ms=800, redact="name"):
        pass
    config = server.configs[0]
    assert (list(config.rules), config.pause_s, config.turn_pause_ms, config.redact) == ([rule], 5, 800, "name")


async def test_a_body_that_ends_normally_finishes_the_meeting(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", noise(1))
    assert server.only.finishing
    assert len(server.only.audio["mix"]) == SECOND


async def test_a_body_that_raises_leaves_the_session_to_be_resumed(client: MeetraClient, server: CrookedServer) -> None:
    with pytest.raises(ZeroDivisionError):
        async with client.live(tracks=[MIX]) as meeting:
            await meeting.send("mix", noise(1))
            raise ZeroDivisionError
    assert not server.only.finishing


async def test_send_waits_while_too_much_is_not_acknowledged(client: MeetraClient, server: CrookedServer) -> None:
    server.acknowledging.clear()
    audio = noise(5)
    async with client.live(tracks=[MIX], buffer_s=2) as meeting:
        sending = asyncio.create_task(meeting.send("mix", audio))
        while meeting.position("mix") < 2 * 16_000:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert not sending.done()
        assert meeting.position("mix") == 2 * 16_000
        server.acknowledging.set()
        await sending
    assert bytes(server.only.audio["mix"]) == audio


async def test_leave_keeps_the_session_for_another_process(client: MeetraClient, server: CrookedServer) -> None:
    audio = noise(3)
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", audio[:SECOND])
        await meeting.leave()
        session_id = meeting.session_id
        with pytest.raises(MeetraError, match="was left"):
            await meeting.finish()
    assert len(server.only.audio["mix"]) == SECOND
    async with client.resume(session_id, tracks=[MIX]) as meeting:
        position = meeting.position("mix")
        assert position == 16_000
        await meeting.send("mix", audio[position * 2 :])
    assert bytes(server.only.audio["mix"]) == audio


async def test_a_meeting_that_others_finished_without_loss_ends_well(
    client: MeetraClient, server: CrookedServer
) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", noise(1))
        while meeting.acknowledged("mix") < 16_000:
            await asyncio.sleep(0.01)
        server.only.finish()
        assert (await meeting.finish()).status == "ready"


async def test_events_that_nobody_reads_cost_no_memory_and_come_when_asked_for(
    client: MeetraClient, server: CrookedServer
) -> None:
    meeting = client.live(tracks=[MIX])
    meeting._feed._max_events = 5
    async with meeting:
        await give(meeting, noise(6))
        await meeting.finish()
        assert len(meeting._feed._buffer) == 5
        assert_whole(server, await all_events(meeting), mix=noise(6))
    assert server.watches == 1


async def test_events_go_on_after_a_break_and_have_one_reader(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        await give(meeting, noise(6))
        seen = []
        reader = meeting.events()
        async for event in reader:
            with pytest.raises(RuntimeError, match="iterated"):
                await anext(meeting.events())
            seen.append(event.event_seq)
            if len(seen) == 3:
                break
        await reader.aclose()
        await meeting.finish()
        seen += [event.event_seq async for event in meeting.events()]
    assert seen == list(range(1, len(server.only.events) + 1))


async def test_watching_sees_every_event_once(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        watching = asyncio.create_task(all_watched(client, meeting.session_id))
        await give(meeting, noise(2))
    assert await watching == list(range(1, len(server.only.events) + 1))
    with pytest.raises(SessionNotFound):
        await all_watched(client, "another")


async def all_watched(client: MeetraClient, session_id: str) -> list[int]:
    return [event.event_seq async for event in client.watch(session_id)]
