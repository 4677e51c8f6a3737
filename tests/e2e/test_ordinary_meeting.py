"""An ordinary meeting: some are muted for ten minutes, one leaves, one joins late, and one is a room.

What everybody said is known by its time and name, and final as soon as it can be, although the audio comes faster than
it was spoken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import System, start_system
from tests.e2e.live_bot import Bot, connected, mixed, participant, speech
from tests.e2e.live_checker import FINAL, LiveChecker, Word
from tests.e2e.test_live_promises import Meeting, silence, voice
from tests.recordings import RATE_HZ

MUTED_S = 600
SENTENCE_S = 6
# A track that sends nothing for so long, while others go on, is paused.
PAUSE_S = 3


@pytest.fixture(scope="module")
def pausing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that pauses tracks soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETRA_LIVE_TRACK_PAUSE_S", str(PAUSE_S))
        system = start_system(tmp_path_factory.mktemp("ordinary") / "data")
    yield system
    assert system.stop() == 0


def texts(words: list[Word]) -> list[str]:
    return [text.strip(".,?!").lower() for _, _, text in words]


async def captured(bot: Bot, track: str, audio: bytes, first_sample: int, captured_ms: int) -> int:
    """Audio of a track that was captured at a moment of the meeting; the position after it."""
    size = RATE_HZ * 2
    chunk = pb.AudioChunk(track_id=track, first_sample=first_sample, data=audio[:size], captured_ms=captured_ms)
    await bot.send(pb.StreamMeetingRequest(audio=chunk))
    return await bot.audio(audio[size:], first_sample + size // 2, track)


async def test_muted_for_ten_minutes_gone_late_and_a_room(pausing: System) -> None:
    rest = pausing.login()
    ben, dora = voice("slt", SENTENCE_S), voice("rms", SENTENCE_S, 12)
    room = mixed("room", participant_name="Room Berlin")
    async with connected(rest) as bot:
        await bot.open(pb.LiveConfig(tracks=[participant("ada", "Ada"), participant("ben", "Ben"), room]))
        meeting = Meeting(bot)
        await meeting.send(ada=voice("rms", 10), ben=ben, room=speech(24, 30))
        # Ada leaves; Dora joins after half a minute, says something and mutes herself, as Ben did.
        await bot.send(pb.StreamMeetingRequest(end_track=pb.EndTrack(track_id="ada")))
        await bot.send(pb.StreamMeetingRequest(add_track=participant("dora", "Dora", start_ms=30_000)))
        await bot.audio(dora, 0, "dora")
        # Only the room's microphone is open for ten minutes, which pass in a few times the pause.
        position = 24 * RATE_HZ
        for _ in range(MUTED_S // 10 - 2):
            position = await bot.audio(silence(10), position, "room")
            await asyncio.sleep(4 * PAUSE_S * 10 / MUTED_S)
        await bot.until(lambda: {t.track.track_id for t in bot.of("track")} == {"ada", "dora"})
        # Who left, and who is muted, is final long before the end, in which the room's speakers are decided.
        await bot.until(lambda: all(meeting.caught_up().states(who) == {FINAL} for who in ("ada", "ben", "dora")))
        await bot.until(lambda: meeting.caught_up().words_ms >= 900 * MUTED_S)
        check: LiveChecker = meeting.check
        before = {who: check.words(who) for who in ("ada", "ben", "dora")}
        assert all(len(words) >= 5 for words in before.values())
        assert min(start for start, _, _ in before["dora"]) >= 30_000
        # Both are back after ten minutes, and say it once more.
        await captured(bot, "ben", ben, SENTENCE_S * RATE_HZ, 1000 * (MUTED_S + 10))
        await captured(bot, "dora", dora, SENTENCE_S * RATE_HZ, 1000 * (MUTED_S + 20))
        await bot.audio(silence(30), position, "room")
        check = await meeting.finish(rest)
        finished = check.finished
    assert finished is not None
    assert {warning.code for warning in check.warnings} <= {pb.WARNING_CODE_SILENCE, pb.WARNING_CODE_LAG}
    for who, shift_ms in (("ben", 1000 * (MUTED_S + 10)), ("dora", 1000 * (MUTED_S + 20) - 30_000)):
        words = check.words(who)
        first, again = words[: len(before[who])], words[len(before[who]) :]
        assert first == before[who]
        assert texts(again) == texts(first)
        assert all(abs(b[0] - a[0] - shift_ms) <= 100 for a, b in zip(first, again, strict=True))
    assert check.words("ada") == before["ada"]
    names = {
        turn.track_id: {t.alias for t in check.turns.values() if t.track_id == turn.track_id and t.state == FINAL}
        for turn in check.turns.values()
    }
    assert (names["ada"], names["ben"], names["dora"]) == ({"Ada"}, {"Ben"}, {"Dora"})
    assert names["room"] <= {f"Room Berlin {number}" for number in range(1, 8)}
    assert len(names["room"]) >= 2
    listed = await asyncio.to_thread(rest.get, "/api/meeting/speakers", file_hash=finished.file_hash)
    assert {speaker["alias"] for speaker in listed.json()["speakers"]} == {"Ada", "Ben", "Dora"} | names["room"]
