"""People come and go, and the server dies between: the end is that of a meeting which had all of them."""

from __future__ import annotations

import asyncio
from typing import Any

from grpc import aio
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import Rest, System
from tests.e2e.live_bot import Bot, connected, mixed, participant, speech
from tests.e2e.test_survival import everything
from tests.recordings import RATE_HZ

ADA, BEN = speech(14), speech(10, 30)
S = RATE_HZ * 2  # bytes


def told(bot: Bot) -> list[tuple[int, str, str]]:
    """The changes of tracks, each with the name then."""
    return [(change.change, change.track.track_id, change.track.participant_name) for change in bot.of("track")]


def last_turns(bot: Bot) -> list[tuple[Any, ...]]:
    """What is said in the end: when, on which track, and what."""
    turns = {turn.segment_id: turn for turn in bot.of("turn")}
    return sorted(
        (t.start_ms, t.end_ms, t.track_id, " ".join(w.text for w in t.words))
        for t in turns.values()
        if t.state != pb.LIVE_TURN_STATE_RETRACTED
    )


async def resumed(rest: Rest, bot: Bot, session_id: str, after: int) -> pb.LiveReady:
    return await bot.open(pb.LiveConfig(session_id=session_id, take_over=True, after_event_seq=after))


async def connected_again(rest: Rest, session_id: str) -> None:
    """Waits until a killed server serves the meeting again."""
    async with asyncio.timeout(300):
        while True:
            try:
                async with connected(rest) as bot:
                    await resumed(rest, bot, session_id, 2**31 - 1)
                    return
            except (aio.AioRpcError, AssertionError):
                await asyncio.sleep(0.5)


async def test_who_joins_leaves_and_is_renamed_while_the_server_dies_is_in_the_end_as_if_there_from_the_beginning(
    system: System, rest: Rest
) -> None:
    async with connected(rest) as bot:
        # Names are what recognition knows: here it knows none, in either meeting.
        ready = await bot.open(pb.LiveConfig(name="Comers", language="en", tracks=[participant("ada", "")]))
        await bot.audio(ADA[: 8 * S], track_id="ada")
        await bot.send(pb.StreamMeetingRequest(add_track=participant("ben", "")))
        await bot.audio(BEN, track_id="ben")
        await bot.until(lambda: bool(bot.of("track")) and bot.committed("ben") == len(BEN) // 2)
        (added,) = bot.of("track")
        assert added.track.start_ms == 8000
        await bot.until(lambda: any(turn.alias == "Speaker 2" for turn in bot.of("turn")))
        system.kill("api")
    await connected_again(rest, ready.session_id)
    async with connected(rest) as bot:
        again = await resumed(rest, bot, ready.session_id, 0)
        assert [(state.track_id, state.ended) for state in again.track_states] == [("ada", False), ("ben", False)]
        assert {p.track_id: p.next_sample for p in again.tracks} == {"ada": 8 * RATE_HZ, "ben": len(BEN) // 2}
        # All of it again, as by a client that does not know.
        await bot.send(pb.StreamMeetingRequest(add_track=participant("ben", "")))
        await bot.send(pb.StreamMeetingRequest(end_track=pb.EndTrack(track_id="ben")))
        await bot.audio(ADA[8 * S :], 8 * RATE_HZ, "ada")
        await bot.until(lambda: any(change.track.ended for change in bot.of("track")))
        # What Ben said is final although Ada goes on.
        await bot.until(
            lambda: any(t.alias == "Speaker 2" and t.state == pb.LIVE_TURN_STATE_FINAL for t in bot.of("turn"))
        )
        (ben,) = {turn.speaker_id for turn in bot.of("turn") if turn.track_id == "ben"}
        answer = await asyncio.to_thread(rest.http.put, f"/api/meeting/speakers/{ben}", json={"alias": "Benjamin"})
        assert answer.status_code == 200
        # Told at once, whoever says something.
        await bot.until(lambda: [name.alias for name in bot.of("speaker_name")] == ["Benjamin"])
        rename = pb.RenameTrack(track_id="ben", participant_name="Benedict")
        await bot.send(pb.StreamMeetingRequest(rename_track=rename))
        await bot.until(lambda: [name.alias for name in bot.of("speaker_name")] == ["Benjamin", "Benedict"])
        system.kill("api")
    await connected_again(rest, ready.session_id)
    async with connected(rest) as bot:
        await resumed(rest, bot, ready.session_id, 0)
        finished = await bot.finish()
        assert finished.status == "ready"
        assert told(bot) == [
            (pb.TRACK_CHANGE_ADDED, "ben", ""),
            (pb.TRACK_CHANGE_ENDED, "ben", ""),
            (pb.TRACK_CHANGE_RENAMED, "ben", "Benedict"),
        ]
    async with connected(rest) as other:
        late = participant("ben", "", start_ms=8000)
        whole = await other.open(pb.LiveConfig(name="Comers", language="en", tracks=[participant("ada", ""), late]))
        await other.send(pb.StreamMeetingRequest(rename_track=rename))
        await other.audio(ADA, track_id="ada")
        await other.audio(BEN, track_id="ben")
        await other.finish()
    assert last_turns(bot) == last_turns(other)
    mine = await asyncio.to_thread(everything, rest, ready.file_hash)
    assert mine == await asyncio.to_thread(everything, rest, whole.file_hash)
    listed = (await asyncio.to_thread(rest.get, "/api/meeting/speakers", file_hash=ready.file_hash)).json()["speakers"]
    # Who has no name on the track says it.
    assert [speaker["alias"] for speaker in listed] == ["Daniel", "Benedict"]


async def test_voices_of_a_room_are_called_by_its_name_in_the_end_too(rest: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(
            pb.LiveConfig(name="Room", tracks=[mixed(participant_name="Room Berlin"), participant("ada", "")])
        )
        await bot.audio(speech(25))
        await bot.finish()
    listed = (await asyncio.to_thread(rest.get, "/api/meeting/speakers", file_hash=ready.file_hash)).json()["speakers"]
    aliases = {speaker["id"]: speaker["alias"] for speaker in listed}
    assert {turn.speaker_id: turn.alias for turn in bot.of("turn") if turn.state == pb.LIVE_TURN_STATE_FINAL} == aliases
    assert all(alias.startswith("Room Berlin ") or alias.isalpha() for alias in aliases.values())
    assert any(alias.startswith("Room Berlin ") for alias in aliases.values())


def test_tracks_are_changed_by_plain_calls(rest: Rest) -> None:
    track = {"kind": "TRACK_KIND_PARTICIPANT", "encoding": "AUDIO_ENCODING_PCM_S16LE", "sample_rate_hz": RATE_HZ}
    path = "/single-feature-api/live"
    opened = rest.http.post(path, json={"tracks": [{**track, "track_id": "ada"}]}).json()["ready"]
    path, owner = f"{path}/{opened['session_id']}/control", {"owner": opened["owner"]}

    def control(body: dict[str, Any]) -> tuple[int, Any]:
        answer = rest.http.post(path, params=owner, json=body)
        return answer.status_code, answer.json()

    ben = {"add_track": {**track, "track_id": "ben", "participant_name": "Ben"}}
    status, answer = control(ben)
    assert (status, answer["track"]["track_id"], answer["track"]["ended"]) == (200, "ben", False)
    assert control(ben) == (status, answer)
    status, answer = control({"rename_track": {"track_id": "ben", "participant_name": "Benjamin"}})
    assert (status, answer["track"]["participant_name"]) == (200, "Benjamin")
    status, answer = control({"end_track": {"track_id": "ben"}})
    assert (status, answer["track"]["ended"]) == (200, True)
    place = {**owner, "track_id": "ben", "first_sample": 0}
    refused = rest.http.post(path.replace("control", "audio"), params=place, content=b"abcd")
    assert (refused.status_code, "has ended" in refused.json()["message"]) == (409, True)
    assert control({**ben, "add_track": {**ben["add_track"], "sample_rate_hz": 8000}})[0] == 409
    assert control({"end_track": {"track_id": "nobody"}})[0] == 400
    assert control({"end_track": {"track_id": "ada"}, "action": "CONTROL_FLUSH"})[0] == 400
    assert control({"action": "CONTROL_FINISH"}) == (200, {})
    assert control(ben)[0] == 409
