"""Live meetings over gRPC through Envoy, with the real engine."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc import aio
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import Rest, System, start_system
from tests.e2e.live_bot import PLAIN, connected, failure, mixed, participant, speech
from tests.recordings import RATE_HZ, sample_pcm, solo, wav

READS = (
    "/single-feature-api/meeting/transcription",
    "/single-feature-api/meeting/balance-score",
    "/speakers-balance",
    "/single-feature-api/meeting/meeting-interactions",
    "/single-feature-api/meeting/meeting-interaction_score",
    "/single-feature-api/meeting/meeting-energy",
    "/single-feature-api/meeting/meeting-sentiment",
    "/single-feature-api/meeting/meeting-emotions",
    "/single-feature-api/meeting/key-points",
    "/single-feature-api/meeting/text-summaries",
    "/single-feature-api/meeting/notes",
    "/single-feature-api/meeting/topics",
    "/single-feature-api/meeting/questions",
    "/single-feature-api/meeting/meeting-dynamics",
    "/single-feature-api/meeting/details-by-topics",
    "/single-feature-api/meeting/speakers-audio-quality",
    "/single-feature-api/meeting/quality",
    "/single-feature-api/speaker-emotions-over-time",
)


def answers(rest: Rest, file_hash: str) -> dict[str, str]:
    """Every answer about a meeting, with the speakers' names in the place of their ids."""
    speakers = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    found = {}
    for path in READS:
        answer = rest.get(path, file_hash=file_hash)
        assert answer.status_code == 200, (path, answer.text)
        text = answer.text
        for speaker in speakers:
            text = text.replace(speaker["id"], speaker["alias"])
        # The order of a map's entries means nothing, and is another each time.
        found[path] = "".join(sorted(text)) if "{" in text else text
    return found


async def test_a_live_meeting_answers_as_the_same_audio_uploaded(rest: Rest) -> None:
    pcm = speech(30)
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        state = rest.get("/single-feature-api/meeting/status", file_hash=ready.file_hash).json()
        assert state["status"] == "receiving"
        described = {"name", "date", "duration_ms", "created_at"}
        assert set(state) == {"file_hash", "status", "progress_percent", "stage", "message", *described}
        early = rest.get("/single-feature-api/meeting/balance-score", file_hash=ready.file_hash)
        assert early.status_code == 409
        await bot.audio(pcm)
        finished = await bot.finish()
    assert (finished.status, finished.file_hash) == ("ready", ready.file_hash)
    uploaded = rest.analysed(wav(sample_pcm()[: 30 * RATE_HZ], mark="beside live"))
    assert answers(rest, finished.file_hash) == answers(rest, uploaded)


async def test_events_say_what_goes_on_and_end_with_what_is_stored(rest: Rest) -> None:
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(tracks=[mixed()], insights_period_s=5))
        await bot.audio(speech(20))
        # Without another sample, what was said becomes known.
        await bot.until(lambda: any(t.state == pb.LIVE_TURN_STATE_STABLE for t in bot.of("turn")))
        await bot.until(lambda: len(bot.of("insights")) > 0)
        finished = await bot.finish()
        numbers = [event.event_seq for event in bot.events]
        assert numbers == list(range(1, len(numbers) + 1))
        latest: dict[int, pb.LiveTurn] = {}
        for turn in bot.of("turn"):
            assert turn.revision == (latest[turn.segment_id].revision if turn.segment_id in latest else 0) + 1
            latest[turn.segment_id] = turn
        assert {t.state for t in latest.values()} <= {pb.LIVE_TURN_STATE_FINAL, pb.LIVE_TURN_STATE_RETRACTED}
        marks = [(m.final_through_ms, m.words_final_through_ms) for m in bot.of("watermark")]
        assert marks == sorted(marks)
        assert marks[-1] == (20_000, 20_000)
        last = bot.of("insights")[-1]
        assert len(bot.of("insights")) > 1
        assert [(said.track_id, said.language) for said in bot.of("language")] == [("mix", "en")]

    def get(path: str) -> Any:
        return rest.get(path, file_hash=finished.file_hash).json()

    assert last.balance_score == get("/single-feature-api/meeting/balance-score")["balance_score"]
    interaction = get("/single-feature-api/meeting/meeting-interaction_score")["meeting_interaction_score"]
    assert last.interaction_score == interaction
    assert last.energy_score == get("/single-feature-api/meeting/meeting-energy")["meeting_energy"]
    assert last.sentiment_score == get("/single-feature-api/meeting/meeting-sentiment")["sentiment_score"]
    shares = {s["id"]: s["meeting_speaking_percentage"] for s in get("/speakers-balance")["speakers"]}
    assert {s.speaker_id: s.speaking_percentage for s in last.speakers} == shares


async def test_a_cut_connection_loses_neither_audio_nor_events(rest: Rest) -> None:
    pcm = speech(16)
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        await bot.audio(pcm[: len(pcm) // 2])
        await bot.until(lambda: len(bot.events) >= 6 and bot.committed() > 0)
        seen = bot.events[3].event_seq
        told = {event.event_seq: event for event in bot.events}
        acknowledged = bot.committed()
    async with connected(rest) as again:
        resumed = await again.open(pb.LiveConfig(session_id=ready.session_id, after_event_seq=seen, take_over=True))
        position = resumed.tracks[0].next_sample
        assert position >= acknowledged
        assert (resumed.file_hash, resumed.owner) == (ready.file_hash, ready.owner + 1)
        # What was acknowledged comes again and is ignored.
        await again.audio(pcm[: 2 * position])
        await again.audio(pcm[2 * position :], position)
        await again.finish()
        numbers = [event.event_seq for event in again.events]
        assert numbers == list(range(seen + 1, seen + 1 + len(numbers)))
        assert all(told[event.event_seq] == event for event in again.events if event.event_seq in told)


async def test_a_second_client_is_refused_unless_it_takes_over(rest: Rest) -> None:
    async with connected(rest) as first, connected(rest) as second, connected(rest) as third:
        ready = await first.open(PLAIN)
        await second.send(pb.StreamMeetingRequest(config=pb.LiveConfig(session_id=ready.session_id)))
        refused = await failure(second)
        assert refused.code() == grpc.StatusCode.ABORTED
        assert "take_over" in (refused.details() or "")
        await third.open(pb.LiveConfig(session_id=ready.session_id, take_over=True))
        assert (await failure(first)).code() == grpc.StatusCode.ABORTED
        await third.audio(speech(2))
        assert (await third.finish()).status == "ready"


async def test_an_abandoned_meeting_is_finished_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETRA_LIVE_GRACE_S", "2")
    system = start_system(tmp_path / "data")
    try:
        rest = system.login()
        async with connected(rest) as bot:
            ready = await bot.open(PLAIN)
            await bot.audio(speech(4))
            await bot.until(lambda: bot.committed() == 4 * RATE_HZ)
        assert (await asyncio.to_thread(rest.settled, ready.file_hash))["status"] == "ready"
        # One that nobody holds any more, because the server died with it, is found as well.
        async with connected(rest) as bot:
            ready = await bot.open(PLAIN)
            await bot.audio(speech(4))
            await bot.until(lambda: bot.committed() == 4 * RATE_HZ)
            system.kill("api")
        assert (await asyncio.to_thread(rest.settled, ready.file_hash))["status"] == "ready"
    finally:
        assert system.stop() == 0


async def test_audio_after_the_end_is_refused(rest: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        await bot.audio(speech(2))
        await bot.finish()
    async with connected(rest) as again:
        resumed = await again.open(pb.LiveConfig(session_id=ready.session_id))
        assert resumed.finishing
        await again.rest()
        assert again.events[-1].HasField("finished")
    # A meeting whose end was told answers a late bot with that end, not with silence.
    assert [e.event_seq for e in again.events][-1] == resumed.last_event_seq


async def test_another_organization_sees_no_session(rest: Rest, system: System) -> None:
    system.meetra("users", "add", "else@example.org", "--organization", "Elsewhere")
    password = system.add_user("else@example.org", "--organization", "Elsewhere")
    other = system.login("else@example.org", password)
    async with connected(rest) as bot, connected(other) as stranger:
        ready = await bot.open(PLAIN)
        await stranger.send(pb.StreamMeetingRequest(config=pb.LiveConfig(session_id=ready.session_id, take_over=True)))
        assert (await failure(stranger)).code() == grpc.StatusCode.NOT_FOUND
    watched = other.http.get(f"/single-feature-api/live/{ready.session_id}/events")
    assert (watched.status_code, watched.json()["message"]) == (404, "Live session not found")


async def test_participants_on_tracks_of_their_own_are_not_told_apart_but_named(rest: Rest) -> None:
    pause, silence = np.zeros(RATE_HZ, np.int16), np.zeros(22 * RATE_HZ, np.int16)
    one, two = (
        np.concatenate([solo(name)[: 5 * RATE_HZ], pause, solo(name)[5 * RATE_HZ : 11 * RATE_HZ], silence])
        for name in ("rms", "slt")
    )
    async with connected(rest) as bot:
        tracks = [participant("a", "Ada"), participant("b", "Bela")]
        await bot.open(pb.LiveConfig(tracks=tracks, insights_period_s=5))
        for start in range(0, len(one), RATE_HZ):
            await bot.audio(one[start : start + RATE_HZ].astype("<i2").tobytes(), start, "a")
            await bot.audio(two[start : start + RATE_HZ].astype("<i2").tobytes(), start, "b")
        # What is known cannot change: it becomes final while the meeting goes on, half a minute after it began.
        await bot.until(lambda: any(m.final_through_ms > 2_000 for m in bot.of("watermark")))
        assert any(t.state == pb.LIVE_TURN_STATE_FINAL for t in bot.of("turn"))
        assert {t.alias for t in bot.of("turn")} <= {"Ada", "Bela"}
        finished = await bot.finish()
        assert bot.of("insights")[-1].HasField("interruptions")
    speakers = rest.get("/api/meeting/speakers", file_hash=finished.file_hash).json()["speakers"]
    assert sorted(s["alias"] for s in speakers) == ["Ada", "Bela"]


async def test_a_track_that_carries_anothers_audio_is_reported_and_ignored(rest: Rest) -> None:
    pcm = speech(20)
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(tracks=[mixed("first"), mixed("second")]))
        for start in range(0, len(pcm), 32_000):
            for track in ("first", "second"):
                await bot.audio(pcm[start : start + 32_000], start // 2, track)
        await bot.until(lambda: bool(bot.of("warning")))
        (warning,) = bot.of("warning")
        assert (warning.code, warning.track_id) == (pb.WARNING_CODE_DUPLICATE_TRACK, "second")
        finished = await bot.finish()
        latest = {turn.segment_id: turn for turn in bot.of("turn")}
        assert {t.track_id for t in latest.values() if t.state == pb.LIVE_TURN_STATE_FINAL} == {"first"}
    alone = rest.analysed(wav(sample_pcm()[: 20 * RATE_HZ], mark="first alone"))
    path = "/speakers-balance"
    shares = [
        sorted(s["meeting_speaking_percentage"] for s in rest.get(path, file_hash=h).json()["speakers"])
        for h in (finished.file_hash, alone)
    ]
    assert shares[0] == shares[1]


async def test_a_meeting_deleted_while_it_goes_on_ends(rest: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        await bot.audio(speech(3))
        await bot.until(lambda: bool(bot.events))
        deleted = rest.http.delete("/single-feature-api/meeting", params={"file-hash": ready.file_hash})
        assert deleted.status_code == 200
        # Whatever is said next finds that the meeting is gone.
        with suppress(aio.AioRpcError, asyncio.InvalidStateError):
            await bot.audio(speech(20, 3), 3 * RATE_HZ)
        error = await failure(bot)
        # HTTP/2 may reset the stream of a client that still writes before its status arrives, and gRPC then has a
        # status of its own in its place.
        reset = any(told in (error.details() or "") for told in ("RST_STREAM", "Internal error from Core"))
        deleted_told = (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "The meeting was deleted")
        assert reset or deleted_told, error
    async with connected(rest) as again:
        await again.send(pb.StreamMeetingRequest(config=pb.LiveConfig(session_id=ready.session_id)))
        assert (await failure(again)).code() == grpc.StatusCode.NOT_FOUND


async def test_a_meeting_for_which_the_engine_has_no_room_waits_and_pays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEETRA_INFERENCE_MAX_SESSIONS", "1")
    monkeypatch.setenv("MEETRA_MAX_ATTEMPTS", "1")
    system = start_system(tmp_path / "data")
    try:
        rest = system.login()
        async with connected(rest) as first, connected(rest) as second:
            for bot in (first, second):
                await bot.open(PLAIN)
                await bot.audio(speech(4))
                await bot.until(lambda bot=bot: bot.committed() == 4 * RATE_HZ)  # type: ignore[misc]
            later = asyncio.create_task(second.finish())
            # The one that waits is over before the engine has heard of it.
            waiting = second.ready.file_hash
            while rest.get("/single-feature-api/meeting/status", file_hash=waiting).json()["status"] == "receiving":
                await asyncio.sleep(0.05)
            assert (await first.finish()).status == "ready"
            assert (await later).status == "ready"
    finally:
        assert system.stop() == 0
