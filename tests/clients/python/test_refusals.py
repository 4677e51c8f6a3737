"""What the server refuses is an error of its own type, once, to all who wait."""

from __future__ import annotations

import asyncio
import re

import pytest
from grpc import StatusCode

from meetra_client import (
    AudioGap,
    AudioLost,
    BadRequest,
    Finished,
    HeldByAnotherClient,
    InvalidCredentials,
    LiveMeetingTooLong,
    MeetingOver,
    MeetraClient,
    MeetraError,
    Patience,
    SessionNotFound,
    StorageFull,
    TakenOver,
    TooManyLiveMeetings,
    Track,
    Unauthenticated,
    Unreachable,
)
from server import errors
from tests.clients.python.server import CrookedServer, Mischief
from tests.clients.python.talking import MIX, SECOND, all_events, noise

# Without a reason, as proxies answer.
STATUSES = {
    StatusCode.INVALID_ARGUMENT: BadRequest,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
    StatusCode.NOT_FOUND: MeetraError,
    StatusCode.RESOURCE_EXHAUSTED: MeetraError,
    StatusCode.PERMISSION_DENIED: MeetraError,
}
REFUSALS: list[tuple[errors.MeetraError, type[MeetraError]]] = [
    (errors.BadRequest("config.name", "shorter"), BadRequest),
    (errors.SessionNotFound(), SessionNotFound),
    (errors.HeldByAnotherClient(), HeldByAnotherClient),
    (errors.Unauthenticated(), Unauthenticated),
    (errors.TooManyLiveMeetings(4), TooManyLiveMeetings),
    (errors.StorageFull(), StorageFull),
]


@pytest.mark.parametrize(("error", "kind"), REFUSALS, ids=lambda value: getattr(value, "reason", None))
async def test_a_refusal_is_a_type_of_its_own_and_not_repeated(
    client: MeetraClient, server: CrookedServer, error: errors.MeetraError, kind: type[MeetraError]
) -> None:
    server.mischief.append(Mischief(refuse=error))
    with pytest.raises(kind, match=re.escape(error.message)) as refused:
        async with client.live(tracks=[MIX]):
            pass
    assert (refused.value.code, refused.value.facts) == (error.grpc_status, error.facts)
    assert len(server.configs) == 1


@pytest.mark.parametrize("code", STATUSES, ids=lambda code: code.name)
async def test_a_refusal_without_a_reason_is_what_its_status_surely_means(
    client: MeetraClient, server: CrookedServer, code: StatusCode
) -> None:
    server.mischief.append(Mischief(refuse=code))
    with pytest.raises(MeetraError, match="no, said the server") as refused:
        async with client.live(tracks=[MIX]):
            pass
    assert (type(refused.value), refused.value.code, refused.value.facts) == (STATUSES[code], code, {})
    assert len(server.configs) == 1


@pytest.mark.parametrize(
    ("refusal", "kind"), [(errors.AudioGap("mix", 5, 9), AudioGap), (StatusCode.INVALID_ARGUMENT, BadRequest)]
)
async def test_a_refusal_in_the_middle_is_told_to_all_who_wait(
    client: MeetraClient, server: CrookedServer, refusal: StatusCode | errors.MeetraError, kind: type[MeetraError]
) -> None:
    # Under load a refusal may be lost with the stream that it ends (gRPC resets a stream whose client
    # still writes): the client comes back, and is refused again.
    server.mischief.extend([Mischief(break_after_chunks=2, break_with=refusal)] * 100)
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
        with pytest.raises(HeldByAnotherClient):
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
    with pytest.raises(TakenOver, match="another client is sending it"):
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
        assert isinstance((await all_events(meeting))[-1], Finished)
        with pytest.raises(MeetingOver) as over:
            await meeting.finish()
        assert over.value.undelivered == {"mix": 8_000}
        with pytest.raises(MeetingOver):
            await meeting.send("mix", noise(0.1))
        with pytest.raises(MeetingOver):
            await meeting.leave()


async def test_audio_beyond_the_longest_meeting_is_refused_here_and_the_meeting_finishes(
    client: MeetraClient, server: CrookedServer
) -> None:
    server.limits.duration_s = 2
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", noise(2))
        with pytest.raises(LiveMeetingTooLong, match="2 s"):
            await meeting.send("mix", noise(0.1))
        assert (await meeting.finish()).status == "ready"


async def test_nothing_is_taken_after_finish_and_no_part_of_a_sample(
    client: MeetraClient, server: CrookedServer
) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        with pytest.raises(ValueError, match="whole number of samples"):
            await meeting.send("mix", b"odd")
        with pytest.raises(ValueError, match="unknown track 'ana'; the tracks are mix"):
            await meeting.send("ana", b"")
        await meeting.finish()
        with pytest.raises(MeetingOver):
            await meeting.send("mix", noise(1))


async def test_a_wrong_password_and_a_token_that_cannot_be_renewed_are_refused(
    crooked: tuple[CrookedServer, str],
) -> None:
    with pytest.raises(InvalidCredentials, match="Invalid email or password"):
        async with MeetraClient(crooked[1], email="ana@example.org", password="wrong"):
            pass
    with pytest.raises(Unauthenticated, match="Unauthorized"):
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
