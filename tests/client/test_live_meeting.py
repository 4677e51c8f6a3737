"""Audio arrives whole and events come once, whatever server and network do."""

from __future__ import annotations

import asyncio
import random

import pytest
from grpc import StatusCode

from meetra_client import (
    MIXED,
    AudioLost,
    AudioOutOfRange,
    InvalidRequest,
    LiveEvent,
    LiveMeeting,
    MeetingOver,
    MeetraClient,
    MeetraError,
    Patience,
    SessionHeld,
    SessionNotFound,
    TakenOver,
    TooManyMeetings,
    Track,
    Unauthenticated,
    Unreachable,
)
from tests.client.server import CrookedServer, Mischief, Relay

MIX = Track("mix", kind=MIXED)
SECOND = 32_000


def noise(seconds: float, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(int(seconds * 16_000) * 2)


async def all_events(meeting: LiveMeeting) -> list[LiveEvent]:
    return [event async for event in meeting.events()]


async def give(meeting: LiveMeeting, audio: bytes, piece: int = 6400, track: str = "mix") -> None:
    for begin in range(0, len(audio), piece):
        await meeting.send(track, audio[begin : begin + piece])
        await asyncio.sleep(0)


def assert_whole(server: CrookedServer, events: list[LiveEvent], **audio: bytes) -> None:
    assert {name: bytes(data) for name, data in server.only.audio.items()} == audio
    assert [event.event_seq for event in events] == list(range(1, len(server.only.events) + 1))
    assert events[-1].finished.status == "ready"


async def test_a_meeting_goes_from_its_first_sample_to_finished(client: MeetraClient, server: CrookedServer) -> None:
    audio = noise(3)
    async with client.live(name="Standup", tracks=[MIX], n_speakers=3, language="en") as meeting:
        reading = asyncio.create_task(all_events(meeting))
        await give(meeting, audio)
        await meeting.flush()
        finished = await meeting.finish()
        assert (meeting.session_id, meeting.file_hash) == ("session 1", finished.file_hash)
        assert meeting.position("mix") == meeting.acknowledged("mix") == 48_000
        assert (meeting.reconnects, meeting.last_event_seq) == (0, len(server.only.events))
        assert meeting.lag_ms == len(server.chunks)
    assert_whole(server, await reading, mix=audio)
    assert server.flushes == 1
    assert (server.configs[0].name, server.configs[0].n_speakers, server.configs[0].language) == ("Standup", 3, "en")


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


BREAKS = [
    [Mischief(break_after_chunks=3)],
    [Mischief(break_after_chunks=1, break_with=StatusCode.INTERNAL), Mischief(break_after_chunks=2)],
    [Mischief(break_after_chunks=2, break_with=StatusCode.OK)],
    [Mischief(break_after_chunks=4, store_of_last=0.3), Mischief(break_after_chunks=2, store_of_last=0)],
    [Mischief(break_after_chunks=2), Mischief(replay=5), Mischief(replay=100)],
    [Mischief(break_after_chunks=5), Mischief(never_ready=True), Mischief(refuse=StatusCode.UNAVAILABLE)],
    [Mischief(break_after_chunks=5), Mischief(refuse=StatusCode.RESOURCE_EXHAUSTED)],
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
    assert all(config.take_over for config in resumed)
    assert resumed[-1].after_event_seq > 0


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
            await asyncio.sleep(0.1)
        await meeting.finish()
        assert meeting.reconnects >= 2
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
        assert meeting.reconnects == 1
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


REFUSALS = {
    StatusCode.INVALID_ARGUMENT: InvalidRequest,
    StatusCode.NOT_FOUND: SessionNotFound,
    StatusCode.ABORTED: SessionHeld,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
    StatusCode.RESOURCE_EXHAUSTED: TooManyMeetings,
    StatusCode.PERMISSION_DENIED: MeetraError,
}


@pytest.mark.parametrize("code", REFUSALS, ids=lambda code: code.name)
async def test_a_refusal_is_a_type_of_its_own_and_not_repeated(
    client: MeetraClient, server: CrookedServer, code: StatusCode
) -> None:
    server.mischief.append(Mischief(refuse=code))
    with pytest.raises(REFUSALS[code], match="no, said the server") as refused:
        async with client.live(tracks=[MIX]):
            pass
    assert refused.value.code is code
    assert len(server.configs) == 1


@pytest.mark.parametrize(
    ("code", "kind"), [(StatusCode.OUT_OF_RANGE, AudioOutOfRange), (StatusCode.INVALID_ARGUMENT, InvalidRequest)]
)
async def test_a_refusal_in_the_middle_is_told_to_all_who_wait(
    client: MeetraClient, server: CrookedServer, code: StatusCode, kind: type[MeetraError]
) -> None:
    server.mischief.append(Mischief(break_after_chunks=2, break_with=code))
    meeting = client.live(tracks=[MIX])
    with pytest.raises(kind):
        async with meeting:
            reading = asyncio.create_task(all_events(meeting))
            with pytest.raises(kind):
                while True:
                    await meeting.send("mix", noise(1))
                    await asyncio.sleep(0)
            with pytest.raises(kind):
                await reading
            await meeting.finish()


async def test_who_is_taken_over_is_told_and_stays_away(client: MeetraClient, server: CrookedServer) -> None:
    audio = noise(2)
    async with client.live(tracks=[MIX]) as first:
        await first.send("mix", audio[:SECOND])
        while first.acknowledged("mix") < 16_000:
            await asyncio.sleep(0.01)
        with pytest.raises(SessionHeld):
            async with client.resume(first.session_id, tracks=[MIX]):
                pass
        async with client.resume(first.session_id, tracks=[MIX], take_over=True, after_event_seq=1) as second:
            assert second.position("mix") == 16_000
            with pytest.raises(TakenOver):
                await all_events(first)
            await second.send("mix", audio[SECOND:])
            await second.finish()
            assert [event.event_seq async for event in second.events()] == list(range(2, len(server.only.events) + 1))
        with pytest.raises(TakenOver):
            await first.finish()
        await first.leave()
    assert bytes(server.only.audio["mix"]) == audio
    assert len(server.configs) == 3


async def test_audio_of_somebody_else_in_the_session_ends_the_client(
    client: MeetraClient, server: CrookedServer
) -> None:
    with pytest.raises(TakenOver, match="somebody else sends it"):
        async with client.live(tracks=[MIX]) as meeting:
            server.only.audio["mix"] += noise(5)
            meeting.drop_connection()
            await all_events(meeting)


async def test_acknowledged_audio_that_the_server_lost_is_an_error(client: MeetraClient, server: CrookedServer) -> None:
    server.mischief.extend([Mischief(), Mischief(forget_samples=10)])
    with pytest.raises(AudioLost):
        async with client.live(tracks=[MIX]) as meeting:
            await meeting.send("mix", noise(1))
            while meeting.acknowledged("mix") < 16_000:
                await asyncio.sleep(0.01)
            meeting.drop_connection()
            await all_events(meeting)


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


async def test_a_track_that_the_session_lacks_is_named(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.leave()
    with pytest.raises(ValueError, match=r"no track \['ana'\]"):
        async with client.resume(meeting.session_id, tracks=[Track("ana")]):
            pass


async def test_audio_too_late_for_a_meeting_that_others_finished_is_counted(
    client: MeetraClient, server: CrookedServer
) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", noise(1))
        while meeting.acknowledged("mix") < 16_000:
            await asyncio.sleep(0.01)
        meeting.drop_connection()
        server.only.finish()
        await meeting.send("mix", noise(0.5))
        assert (await all_events(meeting))[-1].HasField("finished")
        with pytest.raises(MeetingOver) as over:
            await meeting.finish()
        assert over.value.undelivered == {"mix": 8_000}
        with pytest.raises(MeetingOver):
            await meeting.send("mix", noise(0.1))
        with pytest.raises(MeetingOver):
            await meeting.leave()


async def test_a_meeting_that_others_finished_without_loss_ends_well(
    client: MeetraClient, server: CrookedServer
) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", noise(1))
        while meeting.acknowledged("mix") < 16_000:
            await asyncio.sleep(0.01)
        server.only.finish()
        assert (await meeting.finish()).status == "ready"


async def test_audio_beyond_the_longest_meeting_is_refused_here_and_the_meeting_finishes(
    client: MeetraClient, server: CrookedServer
) -> None:
    server.limits.duration_s = 2
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", noise(2))
        with pytest.raises(AudioOutOfRange, match="2 s"):
            await meeting.send("mix", noise(0.1))
        assert (await meeting.finish()).status == "ready"


async def test_nothing_is_taken_after_finish_and_no_part_of_a_sample(
    client: MeetraClient, server: CrookedServer
) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        with pytest.raises(ValueError, match="whole number of samples"):
            await meeting.send("mix", b"odd")
        with pytest.raises(ValueError, match="no track 'ana'; there are mix"):
            await meeting.send("ana", b"")
        await meeting.finish()
        with pytest.raises(MeetingOver):
            await meeting.send("mix", noise(1))


async def test_events_that_nobody_reads_cost_no_memory_and_come_when_asked_for(
    client: MeetraClient, server: CrookedServer
) -> None:
    meeting = client.live(tracks=[MIX])
    meeting._feed._most = 5
    async with meeting:
        await give(meeting, noise(6))
        await meeting.finish()
        assert len(meeting._feed._kept) == 5
        assert_whole(server, await all_events(meeting), mix=noise(6))
    assert server.watches == 1


async def test_events_go_on_after_a_break_and_have_one_reader(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        await give(meeting, noise(6))
        seen = []
        reader = meeting.events()
        async for event in reader:
            with pytest.raises(RuntimeError, match="iterates"):
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


async def test_a_token_that_expires_in_the_middle_is_had_anew(
    crooked: tuple[CrookedServer, str], server: CrookedServer
) -> None:
    async with (
        MeetraClient(crooked[1], email="ana@example.org", password="right") as client,
        client.live(tracks=[MIX]) as meeting,
    ):
        await meeting.send("mix", noise(1))
        server.tokens.clear()
        meeting.drop_connection()
        await meeting.send("mix", noise(1))
        await meeting.finish()
    assert len(server.only.audio["mix"]) == 2 * SECOND


async def test_a_wrong_password_and_a_token_that_cannot_be_renewed_are_refused(
    crooked: tuple[CrookedServer, str],
) -> None:
    with pytest.raises(Unauthenticated, match="wrong e-mail or password"):
        async with MeetraClient(crooked[1], email="ana@example.org", password="wrong"):
            pass
    with pytest.raises(Unauthenticated, match="expired"):
        async with MeetraClient(crooked[1], token="old") as client, client.live(tracks=[MIX]):
            pass


async def test_a_server_that_is_not_there_is_named_with_the_reason() -> None:
    client = MeetraClient("http://127.0.0.1:9", token="a token", patience=Patience(open_s=0.3))
    with pytest.raises(Unreachable, match="no connection"):
        async with client, client.live(tracks=[MIX]):
            pass


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://host", "http://", "http://host/path"])
def test_an_address_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        MeetraClient(url, token="a token")


async def test_cancelling_a_meeting_that_cannot_open_ends_it(crooked: tuple[CrookedServer, str]) -> None:
    client = MeetraClient("http://127.0.0.1:9", token="a token")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), client.live(tracks=[MIX]):
            pass
