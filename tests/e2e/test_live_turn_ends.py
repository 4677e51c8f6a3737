"""Turns that end, pauses, words and languages of live meetings, on the real system with real voices."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import av
import grpc
import numpy as np
import pytest
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import Rest
from tests.e2e.live_bot import PLAIN, Bot, connected, failure, mixed, participant, speech
from tests.e2e.live_checker import FINAL
from tests.e2e.test_live_http import OPEN, TRACK
from tests.e2e.test_live_promises import meeting_of, silence, voice
from tests.e2e.test_live_segments import checked, watched
from tests.e2e.turn_end_promises import FINAL_WORD, PROVISIONAL_WORD, TurnEndPromises
from tests.recordings import EVAL, RATE_HZ

PAUSE, CHANGE = pb.TURN_END_REASON_PAUSE, pb.TURN_END_REASON_CHANGE
INTERRUPTION, END = pb.TURN_END_REASON_INTERRUPTION, pb.TURN_END_REASON_END
# Ends that voice activity finds are this close to where the sound was cut, milliseconds.
NEAR_MS = 300


def kept(bot: Bot, promises: TurnEndPromises | None = None) -> TurnEndPromises:
    """What was promised of turns that end, of all events that a bot received."""
    promises = promises or TurnEndPromises()
    for event in bot.events:
        promises.add(event)
    return promises


def end_near(ends: list[pb.LiveTurnEnd], track_id: str, at_ms: int) -> pb.LiveTurnEnd:
    """The one end of a track near a moment."""
    (found,) = [end for end in ends if end.track_id == track_id and abs(end.end_ms - at_ms) <= NEAR_MS]
    return found


async def test_a_dialogue_on_two_tracks_tells_who_stopped_and_why(rest: Rest) -> None:
    # Ada asks, Bob answers at once; five seconds of silence; Ada is cut short by Bob.
    ada = voice("rms", 4) + silence(8.2) + voice("rms", 4, 4.3) + silence(4)
    bob = silence(4.15) + voice("slt", 3, 1.2) + silence(8.35) + voice("slt", 3, 1.2) + silence(1.7)
    async with meeting_of(rest, "ada", "bob") as meeting:
        await meeting.send(ada=ada, bob=bob)
        # Nobody finishes the meeting: what has ended is told while it runs.
        await meeting.bot.until(lambda: meeting.caught_up().ends.reasons().count(INTERRUPTION) == 1)
        check = await meeting.finish(rest)
        insights = meeting.bot.of("insights")[-1]
    ends = [end for id_, end in check.ends.ends.items() if check.turns[id_].state == FINAL]
    people = {turn.track_id: turn.speaker_id for turn in check.turns.values()}
    asked, answered = end_near(ends, "ada", 4000), end_near(ends, "bob", 7150)
    assert (asked.reason, asked.next_speaker_id) == (CHANGE, people["bob"])
    assert (answered.reason, answered.next_speaker_id) == (PAUSE, "")
    assert 500 <= answered.pause_ms < 5000
    cut_short, last = end_near(ends, "ada", 16_200), end_near(ends, "bob", 18_500)
    assert (cut_short.reason, cut_short.next_speaker_id) == (INTERRUPTION, people["bob"])
    assert last.reason == PAUSE
    assert insights.interruptions == sum(end.reason == INTERRUPTION for end in ends) == 1
    (pause,) = check.ends.pauses
    assert abs(pause.start_ms - 7150) <= NEAR_MS
    assert abs(pause.end_ms - 12_200) <= NEAR_MS


async def test_what_is_said_to_the_end_of_the_meeting_ends_with_it(rest: Rest) -> None:
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(tracks=[participant("p", "Ada")], pause_s=1, turn_pause_ms=2000))
        await bot.audio(silence(3) + speech(4.5), track_id="p")
        finished = await bot.finish()
    assert finished.status == "ready"
    promises = kept(bot, TurnEndPromises(turn_pause_ms=2000, pause_ms=1000))
    assert promises.broken == []
    assert promises.reasons() == [END]
    assert [pause.start_ms for pause in promises.pauses] == [0]


async def test_an_end_is_told_before_the_words_and_holds_for_who_reads_later(rest: Rest) -> None:
    async with connected(rest) as bot:
        ready = await bot.open(PLAIN)
        position = 0
        for start_s in range(0, 30, 3):
            position = await bot.audio(speech(3, start_s), position)
            await asyncio.sleep(0.5)
        await bot.until(lambda: len(bot.of("turn_end")) >= 3)
        first = bot.of("turn_end")[0]
        finished = await bot.finish()
    promises = kept(bot)
    assert promises.broken == []
    assert checked(bot).broken == []
    kinds = [event.WhichOneof("event") for event in bot.events]
    last_words = max(
        place
        for place, event in enumerate(bot.events)
        if event.turn.segment_id == first.segment_id and event.turn.words
    )
    assert kinds.index("turn_end") < last_words
    # The sample's turns are pauses and changes; nobody is unaware of who spoke on.
    assert set(promises.reasons()) <= {PAUSE, CHANGE, INTERRUPTION, END}
    assert len(promises.reasons()) >= 5
    async with watched(rest, ready.session_id, 0) as events:
        again = [event.turn_end for event in events if event.HasField("turn_end")]
    assert again == bot.of("turn_end")
    assert finished.status == "ready"


async def test_words_say_when_they_are_final_and_how_sure_each_is(rest: Rest) -> None:
    async with connected(rest) as bot:
        await bot.open(PLAIN)
        position = 0
        for start_s in range(0, 60, 4):
            position = await bot.audio(speech(4, start_s), position)
            await asyncio.sleep(0.2)
        await bot.until(lambda: bool(bot.of("watermark")) and bot.of("watermark")[-1].words_final_through_ms > 5000)
        open_turns = [turn for turn in bot.of("turn") if turn.state != FINAL]
        finished = await bot.finish()
    promises = kept(bot)
    assert promises.broken == []
    seen = Counter(word.stability for turn in open_turns for word in turn.words)
    assert seen[PROVISIONAL_WORD] > 10
    assert seen[FINAL_WORD] > 5, "words are final before their turn is, which on a MIXED track is at the end"
    # Provisional words of one turn differ in how sure they are.
    provisional = [[w.confidence for w in t.words if w.stability == PROVISIONAL_WORD] for t in open_turns]
    assert any(len(set(confidences)) > 2 for confidences in provisional)
    languages = {turn.language for turn in bot.of("turn") if turn.state == FINAL and turn.words}
    assert languages == {"en"}
    status = rest.get("/single-feature-api/meeting/status", file_hash=finished.file_hash).json()
    assert status["language"] == "en"


async def test_a_language_that_is_not_known_opens_no_meeting(rest: Rest) -> None:
    for language, named in (("ga", "Irish (ga)"), ("Irish", "Irish (ga)")):
        async with connected(rest) as bot:
            await bot.send(pb.StreamMeetingRequest(config=pb.LiveConfig(tracks=[mixed()], language=language)))
            error = await failure(bot)
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert f"config.language: the recogniser does not know {named}; give one of " in str(error.details())
        assert re.search(r"\bde\b.*\ben\b", str(error.details()))
    refused = rest.http.post(OPEN, json={"tracks": [TRACK], "language": "ga"})
    assert (refused.status_code, "does not know Irish" in refused.json()["message"]) == (400, True)
    # One close to a language that it knows is taken for that.
    async with connected(rest) as bot:
        ready = await bot.open(pb.LiveConfig(tracks=[mixed()], language="en-GB"))
        assert "en" in ready.engine.languages
        await bot.audio(speech(5))
        await bot.finish()
    assert {turn.language for turn in bot.of("turn") if turn.words} == {"en"}
    assert not bot.of("warning")


async def test_a_real_meeting_keeps_every_promise(rest: Rest) -> None:
    recording = EVAL / "ami" / "tst00.flac"
    if not recording.exists():
        pytest.skip(f"{recording} is not here: the real meeting is not tested")
    with av.open(str(recording)) as container:
        pcm = np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])
    data = pcm[: 60 * RATE_HZ].astype("<i2").tobytes()
    async with connected(rest) as bot:
        await bot.open(PLAIN)
        position, step = 0, 2 * 4 * RATE_HZ
        for start in range(0, len(data), step):
            position = await bot.audio(data[start : start + step], position)
            await asyncio.sleep(0.5)
        finished = await bot.finish()
    assert finished.status == "ready"
    promises = kept(bot)
    assert promises.broken == []
    assert checked(bot).broken == []
    final = [turn for turn in bot.of("turn") if turn.state == FINAL]
    assert len(promises.reasons()) > 5
    assert {turn.language for turn in final if turn.words} == {"en"}
