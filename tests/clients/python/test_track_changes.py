"""Tracks that come, end and are renamed while a meeting runs, whatever happens to its connections."""

from __future__ import annotations

import asyncio

import pytest

from meetra_client import (
    Event,
    LiveMeeting,
    MeetingOver,
    MeetraClient,
    TooManyRenames,
    TooManyTracks,
    Track,
    TrackChange,
    TrackChangeKind,
    TrackDiffers,
    TrackEnded,
    sync,
    track_changes,
)
from tests.clients.python.server import CrookedServer, Mischief, state_of
from tests.clients.python.talking import MIX, all_events, assert_whole, give, noise

ADA, BEN = Track("ada", participant_name="Ada"), Track("ben", participant_name="Ben")


def changes(events: list[Event]) -> list[tuple[str, str, str]]:
    told = [event for event in events if isinstance(event, TrackChange)]
    return [(event.change.name, event.track.track_id, event.track.participant_name) for event in told]


async def test_somebody_joins_is_renamed_and_leaves(client: MeetraClient, server: CrookedServer) -> None:
    mix, ada = noise(1), noise(2, seed=1)
    async with client.live(tracks=[MIX]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        await give(meeting, mix)
        state = await meeting.add_track(ADA)
        assert (state.track_id, state.participant_name, state.start_ms, state.ended) == ("ada", "Ada", 7000, False)
        await give(meeting, ada, track="ada")
        await meeting.rename_track("ada", "Ada Lovelace")
        await meeting.end_track("ada")
        await meeting.end_track("ada")
        assert meeting.acknowledged("ada") == meeting.position("ada") == 32_000
        with pytest.raises(TrackEnded, match="'ada' has ended"):
            await meeting.send("ada", noise(1))
        with pytest.raises(TrackEnded):
            await meeting.add_track(ADA)
        await meeting.finish()
        with pytest.raises(MeetingOver):
            await meeting.add_track(BEN)
    events = await reading
    assert_whole(server, events, mix=mix, ada=ada)
    assert changes(events) == [
        ("ADDED", "ada", "Ada"),
        ("RENAMED", "ada", "Ada Lovelace"),
        ("ENDED", "ada", "Ada Lovelace"),
    ]
    # Once each, and the end after all audio.
    assert [(kind, track) for kind, track, _ in server.received] == [
        ("add_track", "ada"),
        ("rename_track", "ada"),
        ("end_track", "ada"),
    ]
    assert server.received[-1][2] == 32_000


async def test_audio_is_taken_while_the_server_is_away_and_the_end_comes_after_it(
    client: MeetraClient, server: CrookedServer
) -> None:
    server.mischief += [Mischief(break_at_change=True), Mischief(break_after_chunks=1, store_of_last=0.5)]
    ada = noise(3)
    async with client.live(tracks=[MIX]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        adding = asyncio.create_task(meeting.add_track(ADA))
        await asyncio.sleep(0)
        await give(meeting, ada, track="ada")
        await meeting.end_track("ada")
        assert (await adding).track_id == "ada"
        await meeting.finish()
        assert meeting.reconnects >= 2
    assert_whole(server, await reading, mix=b"", ada=ada)
    assert server.received[-1] == ("end_track", "ada", 48_000)


@pytest.mark.parametrize("start_ms", [0, 5], ids=["now", "at a time"])
async def test_a_track_that_begins_now_comes_after_the_audio_before_it(
    client: MeetraClient, server: CrookedServer, start_ms: int
) -> None:
    server.mischief += [Mischief(break_after_chunks=1), Mischief(break_after_chunks=2, store_of_last=0.5)]
    mix = noise(9)
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.send("mix", mix[:100_000])
        adding = asyncio.create_task(meeting.add_track(Track("ada", start_ms=start_ms)))
        await asyncio.sleep(0)
        await meeting.send("mix", mix[100_000:])
        assert (await adding).start_ms == (start_ms or 7000)
    assert bytes(server.only.audio["mix"]) == mix
    if not start_ms:
        assert server.audio_at_additions == [50_000]


@pytest.mark.parametrize("carried_out", [True, False], ids=["carried out", "lost"])
@pytest.mark.parametrize("kind", ["add_track", "end_track", "rename_track"])
async def test_what_a_lost_connection_leaves_open_is_repeated_unless_it_was_done(
    client: MeetraClient, server: CrookedServer, kind: str, carried_out: bool
) -> None:
    server.mischief.append(Mischief(break_at_change=True, carry_out=carried_out))
    async with client.live(tracks=[MIX, ADA]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        if kind == "add_track":
            await meeting.add_track(BEN)
        elif kind == "end_track":
            await meeting.end_track("ada")
        else:
            await meeting.rename_track("ada", "Ada Lovelace")
        await meeting.finish()
        assert meeting.reconnects == 1
    assert len(changes(await reading)) == 1
    assert [received[0] for received in server.received] == [kind] * (1 if carried_out else 2)


async def test_names_that_were_replaced_meanwhile_are_not_repeated(client: MeetraClient, server: CrookedServer) -> None:
    server.mischief.append(Mischief(break_at_change=True))
    async with client.live(tracks=[ADA]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        await asyncio.gather(*(meeting.rename_track("ada", name) for name in ("Bea", "Ada", "Cyd")))
        await meeting.finish()
    assert changes(await reading) == [("RENAMED", "ada", "Cyd")]


async def test_a_name_that_the_server_cleans_is_told(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[ADA]) as meeting:
        await meeting.rename_track("ada", " Bea ")
        assert server.only.tracks["ada"].participant_name == "Bea"


async def test_a_name_of_which_nothing_is_told_is_waited_for_no_longer_than_that(
    client: MeetraClient, server: CrookedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_changes, "RENAME_PATIENCE_S", 0.2)
    async with client.live(tracks=[ADA]) as meeting:
        server.only.tells_no_names = True
        await meeting.rename_track("ada", "Ada")
        await meeting.rename_track("ada", "Bea")
        await meeting.end_track("ada")
    assert [kind for kind, _, _ in server.received] == ["rename_track", "rename_track", "end_track"]


async def test_a_refused_track_harms_no_other(client: MeetraClient, server: CrookedServer) -> None:
    audio = noise(2)
    async with client.live(tracks=[MIX, ADA]) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        asked = [meeting.add_track(Track(f"late-{number}")) for number in range(4)]
        adding = [asyncio.create_task(each) for each in asked]
        await asyncio.sleep(0)
        for number in range(4):
            await meeting.send(f"late-{number}", noise(0.5))
        outcomes = await asyncio.gather(*adding, return_exceptions=True)
        assert [type(outcome).__name__ for outcome in outcomes] == [
            "TrackState",
            "TrackState",
            "TooManyTracks",
            "TooManyTracks",
        ]
        with pytest.raises(TooManyTracks):
            await meeting.send("late-2", noise(1))
        with pytest.raises(TooManyRenames):
            await meeting.rename_track("ada", "one too many")
        await give(meeting, audio)
        await meeting.finish()
    half = noise(0.5)
    assert_whole(server, await reading, **{"mix": audio, "ada": b"", "late-0": half, "late-1": half})


async def test_who_is_refused_may_be_added_again_in_another_way(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        # Of another client, and not told to this one yet.
        server.only.tracks["ben"], server.only.audio["ben"] = state_of(BEN.config()), bytearray()
        with pytest.raises(TrackDiffers) as refused:
            await meeting.add_track(Track("ben"))
        assert refused.value.facts == {"track_id": "ben"}
        assert (await meeting.add_track(BEN)).participant_name == "Ben"
        await meeting.send("ben", noise(1))
    assert bytes(server.only.audio["ben"]) == noise(1)


async def test_a_track_that_is_there_is_taken_up_where_it_stands(client: MeetraClient, server: CrookedServer) -> None:
    audio = noise(2)
    async with client.live(tracks=[MIX]) as meeting:
        await meeting.add_track(ADA)
        assert (await meeting.add_track(ADA)).start_ms == 7000
        with pytest.raises(TrackDiffers):
            await meeting.add_track(Track("ada", participant_name="Ada", sample_rate_hz=8000))
        await meeting.send("ada", audio[:32_000])
        await meeting.leave()
    async with client.resume(meeting.session_id, tracks=[MIX]) as meeting:
        with pytest.raises(TrackDiffers):
            await meeting.add_track(Track("ada"))
        await meeting.add_track(ADA)
        assert meeting.position("ada") == 16_000
        await meeting.send("ada", audio[32_000:])
        await meeting.end_track("ada")
        await meeting.leave()
    async with client.resume(meeting.session_id, tracks=[MIX, ADA]) as meeting:
        with pytest.raises(TrackEnded):
            await meeting.send("ada", audio)
        await meeting.end_track("ada")
    assert bytes(server.only.audio["ada"]) == audio
    assert [kind for kind, _, _ in server.received] == ["add_track", "end_track"]


async def test_a_track_that_others_end_takes_no_more_audio(client: MeetraClient, server: CrookedServer) -> None:
    server.acknowledging.clear()
    audio = noise(1)
    async with client.live(tracks=[MIX, ADA], buffer_s=1) as meeting:
        reading = asyncio.create_task(all_events(meeting))
        ended = server.only.tracks["ada"]
        ended.ended = True
        with pytest.raises(TrackEnded):
            await meeting.send("ada", noise(3))
        server.acknowledging.set()
        await give(meeting, audio)
        await meeting.finish()
    assert_whole(server, await reading, mix=audio, ada=b"")


async def test_tracks_that_are_not_there_are_said_at_once(client: MeetraClient, server: CrookedServer) -> None:
    call = Track("call", channels=2, separate=True)
    async with client.live(tracks=[MIX, call]) as meeting:
        for asked in (meeting.end_track("nobody"), meeting.rename_track("nobody", "Bo")):
            with pytest.raises(ValueError, match="unknown track 'nobody'"):
                await asked
        for asked in (meeting.rename_track("mix", "Bo", 1), meeting.rename_track("call", "Bo")):
            with pytest.raises(ValueError, match="channel"):
                await asked
    assert server.received == []


async def test_a_meeting_that_is_left_leaves_nothing_undone(client: MeetraClient, server: CrookedServer) -> None:
    async with client.live(tracks=[MIX]) as meeting:
        adding = asyncio.create_task(meeting.add_track(ADA))
        await asyncio.sleep(0)
        await meeting.send("ada", noise(1))
        ending = asyncio.create_task(meeting.end_track("ada"))
        await asyncio.sleep(0)
        await meeting.leave()
        await asyncio.gather(adding, ending)
    assert server.only.tracks["ada"].ended
    assert bytes(server.only.audio["ada"]) == noise(1)


async def test_changes_of_a_meeting_that_others_finish_are_refused(client: MeetraClient, server: CrookedServer) -> None:
    server.mischief.append(Mischief(break_at_change=True))

    async def hold(meeting: LiveMeeting) -> None:
        adding = asyncio.create_task(meeting.add_track(ADA))
        server.only.finish()
        with pytest.raises(MeetingOver):
            await adding

    async with client.live(tracks=[MIX]) as meeting:
        await hold(meeting)


async def test_changes_without_asyncio(crooked: tuple[CrookedServer, str]) -> None:
    server, url = crooked

    def hold() -> None:
        with sync.MeetraClient(url, token="a token") as client, client.live(tracks=[MIX]) as meeting:
            assert meeting.add_track(ADA).start_ms == 7000
            meeting.send("ada", noise(1))
            meeting.rename_track("ada", "Bea")
            meeting.end_track("ada")
            with pytest.raises(TrackEnded):
                meeting.send("ada", noise(1))

    await asyncio.to_thread(hold)
    state = server.only.tracks["ada"]
    assert (state.participant_name, state.ended) == ("Bea", True)
    assert TrackChangeKind(server.only.events[0].track.change) is TrackChangeKind.ADDED
