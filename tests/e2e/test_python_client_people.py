"""The Python client in a meeting whose people come and go, on a real system, beside one who watches."""

from __future__ import annotations

import asyncio

import pytest

from meetra_client import (
    BadRequest,
    Event,
    Finished,
    LiveMeeting,
    MeetingNotFound,
    MeetingStillProcessing,
    MeetraClient,
    Track,
    TrackChange,
    TrackChangeKind,
    TrackDiffers,
    TrackEnded,
    TurnState,
)
from meetra_client.event_values import Turn
from tests.e2e.conftest import READY_TIMEOUT_S, System
from tests.e2e.live_bot import speech

ADA, BEN = Track("ada", participant_name="Ada"), Track("ben", participant_name="Ben")


def client_of(system: System) -> MeetraClient:
    return MeetraClient(system.gateway, email=system.email, password=system.password)


async def watched(client: MeetraClient, file_hash: str) -> list[Event]:
    return [event async for event in client.watch(file_hash=file_hash)]


async def give(meeting: LiveMeeting, track_id: str, audio: bytes) -> None:
    for begin in range(0, len(audio), 16_000):
        await meeting.send(track_id, audio[begin : begin + 16_000])


async def words_of(client: MeetraClient, file_hash: str) -> str:
    """What was said so far, once something is known."""
    async with asyncio.timeout(READY_TIMEOUT_S):
        while True:
            answer = await client.transcript(file_hash, live=True)
            if answer.transcription:
                assert answer.live
                assert answer.through_ms > 0
                return " ".join(entry.transcription for entry in answer.transcription)
            await asyncio.sleep(0.5)


async def test_people_come_and_go_and_the_meeting_is_found_watched_asked_and_exported(system: System) -> None:
    async with client_of(system) as client:
        async with client.live(name="Comers", language="en", tracks=[ADA], pause_s=2) as meeting:
            watching = asyncio.create_task(watched(client, meeting.file_hash))
            await give(meeting, "ada", speech(8))
            ben = await meeting.add_track(BEN)
            assert (ben.participant_name, ben.ended) == ("Ben", False)
            assert ben.start_ms == 8000
            await give(meeting, "ben", speech(10, 30))
            meeting.drop_connection(silently=True)
            await meeting.rename_track("ben", "Benedict")
            await meeting.end_track("ben")
            assert meeting.acknowledged("ben") == meeting.position("ben") == 10 * 16_000
            with pytest.raises(TrackEnded):
                await meeting.send("ben", speech(1))
            # Who is not let in does not end the meeting.
            with pytest.raises(BadRequest) as refused:
                await meeting.add_track(Track("cyd", sample_rate_hz=100))
            assert refused.value.facts["field"] == "add_track.sample_rate_hz"
            with pytest.raises(TrackDiffers):
                await meeting.add_track(Track("ada"))
            await give(meeting, "ada", speech(14, 8))
            await meeting.flush()
            (listed,) = [each async for each in client.live_meetings(page_size=1) if each.name == "Comers"]
            assert (listed.session_id, listed.file_hash) == (meeting.session_id, meeting.file_hash)
            assert [each.track.participant_name for each in listed.tracks] == ["Ada", "Benedict"]
            assert await words_of(client, meeting.file_hash)
            assert (await client.speakers(meeting.file_hash, live=True)).live
            with pytest.raises(MeetingStillProcessing):
                await client.transcript(meeting.file_hash)
            made = await client.session_token(meeting.session_id, scopes=["watch"], lifetime_s=600)
            async with MeetraClient(system.gateway, token=made.token) as page:
                async for event in page.watch(meeting.session_id):
                    assert event.event_seq == 1
                    break
            finished = await meeting.finish()
        assert finished.status == "ready"
        events = await watching
        assert isinstance(events[-1], Finished)
        told = [e for e in events if isinstance(e, TrackChange) and e.track.track_id == "ben"]
        assert [(each.change, each.track.participant_name) for each in told] == [
            (TrackChangeKind.ADDED, "Ben"),
            (TrackChangeKind.RENAMED, "Benedict"),
            (TrackChangeKind.ENDED, "Benedict"),
        ]
        last = {event.segment_id: event for event in events if isinstance(event, Turn)}
        assert {turn.alias for turn in last.values() if turn.state is TurnState.FINAL} == {"Ada", "Benedict"}
        assert not (await client.transcript(finished.file_hash, live=True)).live
        srt = b"".join([piece async for piece in client.export_meeting(finished.file_hash, "srt")]).decode()
        assert "00:00:0" in srt
        assert "Benedict" in srt
        with pytest.raises(BadRequest):
            await anext(client.export_meeting(finished.file_hash, "midi"))
        with pytest.raises(MeetingNotFound):
            await watched(client, "0" * 64)
