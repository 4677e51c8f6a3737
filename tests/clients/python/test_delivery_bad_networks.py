"""Connections that break, hang or vanish: audio arrives whole, and events come once."""

from __future__ import annotations

import asyncio

import pytest
from grpc import StatusCode

from meetra_client import (
    MeetraClient,
    Patience,
    Track,
)
from server import errors
from tests.clients.python.server import CrookedServer, Mischief, Relay
from tests.clients.python.talking import MIX, SECOND, all_events, assert_whole, give, noise

pytestmark = pytest.mark.long


def at_once(error: errors.MeetraError) -> errors.MeetraError:
    """Asks for no wait."""
    error.retry_after_s = 0
    return error


BREAKS = [
    [Mischief(break_after_chunks=3)],
    [Mischief(break_after_chunks=1, break_with=StatusCode.INTERNAL), Mischief(break_after_chunks=2)],
    [Mischief(break_after_chunks=2, break_with=StatusCode.OK)],
    [Mischief(break_after_chunks=4, store_of_last=0.3), Mischief(break_after_chunks=2, store_of_last=0)],
    [Mischief(break_after_chunks=2), Mischief(replay=5), Mischief(replay=100)],
    [Mischief(break_after_chunks=5), Mischief(never_ready=True), Mischief(refuse=StatusCode.UNAVAILABLE)],
    [Mischief(break_after_chunks=5), Mischief(refuse=at_once(errors.TooManyLiveMeetings(4)))],
    [Mischief(break_after_chunks=5), Mischief(refuse=at_once(errors.StorageFull()))],
    [Mischief(refuse=StatusCode.UNAVAILABLE), Mischief(break_after_chunks=2, break_with=StatusCode.DEADLINE_EXCEEDED)],
    [Mischief(break_after_chunks=2, break_with=StatusCode.CANCELLED), Mischief(break_at_finish=True)],
]


@pytest.mark.parametrize("mischief", BREAKS, ids=str)
async def test_broken_connections_lose_nothing_and_repeat_nothing(
    client: MeetraClient, server: CrookedServer, mischief: list[Mischief]
) -> None:
    server.mischief.extend(mischief)
    audio, other = noise(4), noise(3, seed=1)
    async with client.live(tracks=[MIX, Track("ana", participant_name="Ana")]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        await asyncio.gather(give(meeting, audio), give(meeting, other, track="ana"))
        await meeting.finish()
        assert meeting.reconnects >= 1
    assert_whole(server, await reading, mix=audio, ana=other)
    resumed = [config for config in server.configs if config.session_id]
    assert resumed
    assert all(config.take_over for config in resumed)


async def test_a_client_goes_on_after_the_last_event_that_it_has_seen(
    client: MeetraClient, server: CrookedServer
) -> None:
    audio = noise(2)
    async with client.live(tracks=[MIX]) as meeting:
        await give(meeting, audio[:SECOND])
        events = aiter(meeting.events())
        seen = [await anext(events)]
        meeting.drop_connection()
        await give(meeting, audio[SECOND:])
        await meeting.finish()
        seen += [event async for event in events]
    assert_whole(server, seen, mix=audio)
    assert len(server.configs) >= 2
    assert server.configs[-1].after_event_seq >= 1


@pytest.mark.parametrize("silently", [False, True])
async def test_connections_dropped_on_purpose_lose_nothing(
    client: MeetraClient, server: CrookedServer, silently: bool
) -> None:
    audio = noise(6)
    async with client.live(tracks=[MIX]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        for second in range(6):
            await give(meeting, audio[second * SECOND : (second + 1) * SECOND])
            meeting.drop_connection(silently=silently)
            while meeting.reconnects == second:
                await asyncio.sleep(0.01)
        await meeting.finish()
        assert meeting.reconnects == 6
    assert_whole(server, await reading, mix=audio)


async def test_a_network_that_swallows_everything_is_noticed(
    crooked: tuple[CrookedServer, str], server: CrookedServer
) -> None:
    relay = Relay(int(crooked[1].rpartition(":")[2]))
    audio = noise(2)
    url = f"http://127.0.0.1:{await relay.start()}"
    async with MeetraClient(url, token="a token", keepalive_s=0.5) as client, client.live(tracks=[MIX]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        await give(meeting, audio[:SECOND])
        relay.swallow()
        await give(meeting, audio[SECOND:])
        await meeting.finish()
        assert meeting.reconnects >= 1
    assert_whole(server, await reading, mix=audio)
    await relay.stop()


async def test_a_server_that_holds_the_connection_and_says_nothing_is_left(
    crooked: tuple[CrookedServer, str], server: CrookedServer
) -> None:
    server.acknowledging.clear()
    client = MeetraClient(crooked[1], token="a token", patience=Patience(stall_s=0.4))
    async with client, client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", noise(1))
        while len(server.configs) == 1:
            await asyncio.sleep(0.01)
        server.acknowledging.set()
        await meeting.finish()


@pytest.mark.parametrize("refused_logins", [0, 2])
async def test_a_token_that_expires_in_the_middle_is_had_anew(
    crooked: tuple[CrookedServer, str], server: CrookedServer, refused_logins: int
) -> None:
    async with (
        MeetraClient(crooked[1], email="ana@example.org", password="right") as client,
        client.live(tracks=[MIX]) as meeting,
    ):
        await meeting.send("mix", noise(1))
        server.tokens.clear()
        server.refused_logins = refused_logins
        meeting.drop_connection()
        await meeting.send("mix", noise(1))
        await meeting.finish()
    assert len(server.only.audio["mix"]) == 2 * SECOND


async def test_cancelling_a_meeting_that_cannot_open_ends_it(crooked: tuple[CrookedServer, str]) -> None:
    client = MeetraClient("http://127.0.0.1:9", token="a token")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), client.live(tracks=[MIX]):
            pass
