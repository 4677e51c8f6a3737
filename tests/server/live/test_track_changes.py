"""People come and go while a live meeting runs: their tracks are added, ended and renamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import live_pb2 as pb
from meetra.v1 import live_pb2_grpc

from server.live import MAX_TRACKS, track_changes
from server.storage import live_names, speaker_id
from server.storage.pool import Database
from tests.recordings import RATE_HZ
from tests.server.api.conftest import Api, running_api
from tests.server.live.scripted_engine import ScriptedEngine, progress, scripted_engine, turn

PATIENCE_S = 300
EMAILS = {"Org": "a@example.org", "Elsewhere": "b@example.org"}
ADDED, ENDED, RENAMED = pb.TRACK_CHANGE_ADDED, pb.TRACK_CHANGE_ENDED, pb.TRACK_CHANGE_RENAMED


def track(track_id: str, name: str = "", kind: pb.TrackKind.ValueType = pb.TRACK_KIND_PARTICIPANT, **more: Any) -> Any:
    pcm = {"encoding": pb.AUDIO_ENCODING_PCM_S16LE, "sample_rate_hz": RATE_HZ}
    return pb.TrackConfig(track_id=track_id, kind=kind, participant_name=name, **{**pcm, **more})


class Bot:
    """Single calls of one user in one meeting."""

    def __init__(self, api: Api, token: str) -> None:
        self.live = live_pb2_grpc.LiveServiceStub(api.channel)
        self.metadata = (("authorization", f"Bearer {token}"),)
        self.ready = pb.LiveReady()

    async def open(self, *tracks: pb.TrackConfig, **config: Any) -> pb.LiveReady:
        request = pb.OpenMeetingRequest(config=pb.LiveConfig(tracks=tracks, **config))
        self.ready = (await self.live.OpenMeeting(request, metadata=self.metadata)).ready
        return self.ready

    async def send(self, track_id: str, seconds: float, first_s: float = 0) -> None:
        end = round((first_s + seconds) * RATE_HZ)
        for first in range(round(first_s * RATE_HZ), end, RATE_HZ):
            request = pb.SendAudioRequest(
                session_id=self.ready.session_id,
                owner=self.ready.owner,
                track_id=track_id,
                first_sample=first,
                body=httpbody_pb2.HttpBody(data=bytes(2 * min(RATE_HZ, end - first))),
            )
            await self.live.SendAudio(request, metadata=self.metadata)

    async def control(self, **what: Any) -> pb.LiveTrackState:
        request = pb.ControlMeetingRequest(
            session_id=self.ready.session_id, owner=self.ready.owner, control=pb.ControlMessage(**what)
        )
        track: pb.LiveTrackState = (await self.live.ControlMeeting(request, metadata=self.metadata)).track
        return track

    async def events(self, enough: Callable[[list[pb.LiveEvent]], bool]) -> list[pb.LiveEvent]:
        """The events from the first, until they are enough."""
        request = pb.WatchMeetingRequest(session_id=self.ready.session_id)
        call: Any = self.live.WatchMeeting(request, metadata=self.metadata)
        seen: list[pb.LiveEvent] = []
        async with asyncio.timeout(PATIENCE_S):
            while not enough(seen):
                if (answer := await call.read()).HasField("event"):
                    seen.append(answer.event)
        call.cancel()
        return seen


@asynccontextmanager
async def engine_and_api(
    owner: Database, database: Database, folder: Path, **limits: Any
) -> AsyncIterator[tuple[ScriptedEngine, Api]]:
    async with (
        scripted_engine() as (engine, address),
        running_api(owner, database, folder, inference_address=address, **limits) as api,
    ):
        yield engine, api


async def bot_of(api: Api, organization: str = "Org") -> Bot:
    return Bot(api, await api.token(organization, EMAILS[organization]))


async def refused(call: Any) -> tuple[str, str]:
    """The reason of a refusal, and its text."""
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    trailers = dict(raised.value.trailing_metadata() or ())
    assert raised.value.code() is not grpc.StatusCode.INTERNAL
    return str(trailers.get("grpc-status-details-bin")), raised.value.details() or ""


def of(kind: str, events: list[pb.LiveEvent]) -> list[Any]:
    return [getattr(event, kind) for event in events if event.WhichOneof("event") == kind]


def changes(events: list[pb.LiveEvent]) -> list[tuple[int, str, str]]:
    """What is told of tracks: the change, the track and its name."""
    return [(told.change, told.track.track_id, told.track.participant_name) for told in of("track", events)]


async def test_who_joins_begins_now_and_is_heard_and_told_of(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        ready = await bot.open(track("a", "Ada"))
        assert [state.track_id for state in ready.track_states] == ["a"]
        await bot.send("a", 3)
        await engine.session()
        added = await bot.control(add_track=track("b", "Ben"))
        assert (added.track_id, added.participant_name, added.start_ms, added.ended) == ("b", "Ben", 3000, False)
        await bot.send("b", 2)
        session = await engine.session()
        assert list(session.config.key_terms) == ["Ada", "Ben"]
        session.say(turn(1, 0.5, 1.5, "hello there"), progress(2, 2, 2))
        events = await bot.events(lambda seen: bool(of("turn", seen)))
        assert changes(events) == [(ADDED, "b", "Ben")]
        (said,) = of("turn", events)
        assert (said.alias, said.start_ms, said.end_ms) == ("Ben", 3500, 4500)
        assert said.speaker_id == str(speaker_id_of(ready, 2))
        # Sent again, by whoever lost the answer, with the name of today or another: nothing more happens.
        for again in (track("b", "Ben"), track("b", "Benjamin"), track("b", start_ms=3000)):
            assert (await bot.control(add_track=again)) == added
        assert changes(await bot.events(lambda seen: len(seen) >= len(events))) == [(ADDED, "b", "Ben")]
        for other in (track("b", sample_rate_hz=8000), track("b", start_ms=1), track("a", kind=pb.TRACK_KIND_MIXED)):
            reason, _ = await refused(bot.control(add_track=other))
            assert "TRACK_DIFFERS" in reason
        # Who comes in its place finds both.
        again_ready = await bot.open(session_id=ready.session_id, take_over=True)
        assert [(p.track_id, p.next_sample) for p in again_ready.tracks] == [("a", 3 * RATE_HZ), ("b", 2 * RATE_HZ)]
        assert [(s.track_id, s.participant_name, s.start_ms) for s in again_ready.track_states] == [
            ("a", "Ada", 0),
            ("b", "Ben", 3000),
        ]


def speaker_id_of(ready: pb.LiveReady, number: int) -> str:
    return str(speaker_id(UUID(ready.session_id), number))


async def test_channels_join_together_and_a_stated_start_wins(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        await bot.open(track("a", "Ada"))
        await bot.send("a", 3)
        call = track(
            "call", channels=2, channel_use=pb.CHANNEL_USE_SEPARATE, channel_names=["Cleo", "Dan"], start_ms=1500
        )
        added = await bot.control(add_track=call)
        assert (list(added.channel_names), added.start_ms) == (["Cleo", "Dan"], 1500)
        renamed = await bot.control(
            rename_track=pb.RenameTrack(track_id="call", participant_name="Cleopatra", channel=1)
        )
        assert list(renamed.channel_names) == ["Cleopatra", "Dan"]
        assert (await bot.control(end_track=pb.EndTrack(track_id="call"))).ended


async def test_the_last_name_wins(owner: Database, database: Database, tmp_path: Path) -> None:
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        ready = await bot.open(track("a", "Ada"), track("room", "", pb.TRACK_KIND_MIXED))
        await bot.send("room", 3)
        room = await engine.session()
        room.say(turn(1, 0, 2, "hello"), progress(3, 3, 3))
        await bot.send("a", 3)
        (await engine.session()).say(turn(1, 0, 2, "I am here"), progress(3, 3, 3))
        both = lambda seen: {said.alias for said in of("turn", seen)} >= {"Ada", "Speaker 2"}  # noqa: E731
        await bot.events(both)
        await bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name="Ada L."))
        await bot.control(rename_track=pb.RenameTrack(track_id="room", participant_name="Room Berlin"))
        events = await bot.events(lambda seen: len(of("speaker_name", seen)) == 2)
        names = {told.speaker_id: told.alias for told in of("speaker_name", events)}
        assert names == {speaker_id_of(ready, 1): "Ada L.", speaker_id_of(ready, 2): "Room Berlin 1"}
        assert changes(events) == [(RENAMED, "a", "Ada L."), (RENAMED, "room", "Room Berlin")]
        # Named by hand, as RenameSpeaker stores it; a name that the bot gives later replaces that.
        given = live_names.LiveSpeaker((await meeting_of(owner)), 1)
        organization = await owner.run(lambda c: c.fetchval("SELECT organization_id FROM meetings"))
        await database.run(lambda c: live_names.give(c, given, "Countess"), organization_id=organization)
        await bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name="Ada L."))
        assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM speakers")) == 0


async def test_a_name_that_is_there_already_changes_nothing(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        await bot.open(track("a", "Ada"), track("room", "", pb.TRACK_KIND_MIXED))

        async def audited() -> int:
            query = "SELECT coalesce(sum(count), 0) FROM audit_events WHERE method = 'LiveService/ControlMeeting'"
            return int(await owner.run(lambda c: c.fetchval(query)))

        await bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name="Ada L."))
        before = await audited()
        for _ in range(3):
            await bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name="Ada L."))
            await bot.control(rename_track=pb.RenameTrack(track_id="room"))
        assert await audited() == before == 1
        await bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name="Ada"))
        events = await bot.events(lambda seen: len(changes(seen)) == 2)
        assert changes(events) == [(RENAMED, "a", "Ada L."), (RENAMED, "a", "Ada")]


async def meeting_of(owner: Database) -> Any:
    return await owner.run(lambda c: c.fetchval("SELECT id FROM meetings"))


async def test_changes_survive_the_process(owner: Database, database: Database, tmp_path: Path) -> None:
    async with scripted_engine() as (engine, address):
        async with running_api(owner, database, tmp_path, inference_address=address) as api:
            bot = await bot_of(api)
            ready = await bot.open(track("a", "Ada"))
            await bot.send("a", 2)
            await engine.session()
            await bot.control(add_track=track("b", "Ben"))
            await bot.send("b", 1)
            await bot.control(rename_track=pb.RenameTrack(track_id="b", participant_name="Benjamin"))
            await bot.control(end_track=pb.EndTrack(track_id="b"))
            before = changes(await bot.events(lambda seen: len(changes(seen)) == 3))
        async with running_api(owner, database, tmp_path, inference_address=address) as api:
            bot = await bot_of(api)
            again = await bot.open(session_id=ready.session_id, take_over=True)
            assert [(s.track_id, s.participant_name, s.ended) for s in again.track_states] == [
                ("a", "Ada", False),
                ("b", "Benjamin", True),
            ]
            assert [(p.track_id, p.next_sample) for p in again.tracks] == [("a", 2 * RATE_HZ), ("b", RATE_HZ)]
            # All of it again, as a client does that does not know what was carried out.
            await bot.control(add_track=track("b", "Ben"))
            await bot.control(end_track=pb.EndTrack(track_id="b"))
            await bot.control(add_track=track("c", "Cleo"))
            events = await bot.events(lambda seen: any(id_ == "c" for _, id_, _ in changes(seen)))
            assert changes(events) == [*before, (ADDED, "c", "Cleo")]
            assert before == [(ADDED, "b", "Ben"), (RENAMED, "b", "Benjamin"), (ENDED, "b", "Benjamin")]


async def test_what_was_stored_and_not_told_is_told_by_the_next_process(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with scripted_engine() as (_, address):
        async with running_api(owner, database, tmp_path, inference_address=address) as api:
            bot = await bot_of(api)
            ready = await bot.open(track("a", "Ada"))
            await bot.control(add_track=track("b", "Ben"))
        # As if it had died between the two.
        await owner.run(lambda c: c.execute("DELETE FROM live_events"))
        async with running_api(owner, database, tmp_path, inference_address=address) as api:
            bot = await bot_of(api)
            await bot.open(session_id=ready.session_id, take_over=True)
            assert changes(await bot.events(lambda seen: bool(changes(seen)))) == [(ADDED, "b", "Ben")]


async def test_nobody_changes_the_tracks_of_another_organization(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot, stranger = await bot_of(api), await bot_of(api, "Elsewhere")
        stranger.ready = await bot.open(track("a", "Ada"))
        for what in (
            {"add_track": track("b")},
            {"end_track": pb.EndTrack(track_id="a")},
            {"rename_track": pb.RenameTrack(track_id="a", participant_name="Mallory")},
        ):
            reason, _ = await refused(stranger.control(**what))
            assert "SESSION_NOT_FOUND" in reason
        again = await bot.open(session_id=bot.ready.session_id, take_over=True)
        assert [(s.track_id, s.participant_name, s.ended) for s in again.track_states] == [("a", "Ada", False)]


async def test_tracks_are_limited_over_the_whole_meeting_and_over_the_organization(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    limit = MAX_TRACKS + 2
    async with engine_and_api(owner, database, tmp_path, live_tracks_per_organization=limit) as (_, api):
        bot, other = await bot_of(api), await bot_of(api)
        await bot.open(*(track(f"t{place}") for place in range(MAX_TRACKS - 1)))
        reason, _ = await refused(bot.control(add_track=track("call", channels=2, channel_use=pb.CHANNEL_USE_SEPARATE)))
        assert "TOO_MANY_TRACKS" in reason
        await bot.control(add_track=track("last"))
        await bot.control(end_track=pb.EndTrack(track_id="t0"))
        reason, text = await refused(bot.control(add_track=track("more")))
        assert "TOO_MANY_TRACKS" in reason
        assert "32" in text
        # One of 32 has ended: three more may run.
        await other.open(track("a"), track("b"), track("c"))
        reason, text = await refused(other.control(add_track=track("d")))
        assert "TOO_MANY_LIVE_MEETINGS" in reason
        assert f"limit of {limit} tracks" in text
        await bot.control(end_track=pb.EndTrack(track_id="t1"))
        await other.control(add_track=track("d"))


async def test_names_are_limited(
    owner: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_changes, "MAX_RENAMES", 2)
    async with engine_and_api(owner, database, tmp_path) as (_, api):
        bot = await bot_of(api)
        await bot.open(track("a", "Ada"))
        for name in ("B", "B", "C"):
            await bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name=name))
        reason, _ = await refused(bot.control(rename_track=pb.RenameTrack(track_id="a", participant_name="D")))
        assert "TOO_MANY_RENAMES" in reason


async def test_names_that_are_redacted_are_told_nobody(owner: Database, database: Database, tmp_path: Path) -> None:
    async with engine_and_api(owner, database, tmp_path) as (engine, api):
        bot = await bot_of(api)
        await bot.open(track("a", "Ada"), redact="name")
        added = await bot.control(add_track=track("b", "Zacharias"))
        assert added.participant_name == ""
        await bot.control(rename_track=pb.RenameTrack(track_id="b", participant_name="Xerxes"))
        await bot.send("b", 4)
        session = await engine.session()
        session.say(turn(1, 0, 3, "Zacharias is Xerxes now"), progress(4, 4, 4))
        events = await bot.events(lambda seen: bool(of("turn", seen)))
        assert changes(events) == [(ADDED, "b", "")]
        (said,) = of("turn", events)
        assert said.alias == "Speaker 2"
        assert [word.text for word in said.words] == ["[NAME]", "is", "[NAME]", "now"]
