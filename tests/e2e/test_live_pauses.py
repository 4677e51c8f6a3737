"""Somebody records nothing while muted: what they say afterwards is where it belongs, whatever dies in between."""

from __future__ import annotations

import io
import tarfile
import wave
from collections.abc import Iterator
from contextlib import suppress

import grpc
import numpy as np
import pytest
from meetra.v1 import live_pb2 as pb

from tests.e2e.conftest import Rest, System, start_system
from tests.e2e.live_bot import Bot, connected, failure, mixed, participant
from tests.e2e.live_checker import FINAL, STABLE, LiveChecker, Word
from tests.e2e.test_live_http import OPEN, control, opened
from tests.e2e.test_live_promises import Meeting, meeting_of, silence, voice
from tests.recordings import RATE_HZ

SAID_S, MUTED_S = 6, 60
PAUSE = MUTED_S * RATE_HZ


@pytest.fixture(scope="module")
def pausing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that cuts tracks soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETRA_LIVE_TRACK_PAUSE_S", "3")
        system = start_system(tmp_path_factory.mktemp("pausing") / "data")
    yield system
    assert system.stop() == 0


@pytest.fixture(scope="module")
def somebody(pausing: System) -> Rest:
    return pausing.login()


async def unmuted(bot: Bot, audio: bytes, **fields: int) -> int:
    """The track of Bob goes on with audio after a pause; the position after it."""
    first = SAID_S * RATE_HZ + fields.get("gap_samples", 0)
    size = RATE_HZ * 2
    chunk = pb.AudioChunk(track_id="bob", first_sample=first, data=audio[:size], **fields)  # type: ignore[arg-type]
    await bot.send(pb.StreamMeetingRequest(audio=chunk))
    return await bot.audio(audio[size:], first + RATE_HZ, "bob")


def check_both_sentences(words: list[Word]) -> None:
    """The same sentence was said twice, so long after another as it was recorded."""
    said = [(start, end, text.strip(".,?").lower()) for start, end, text in words]
    first = [word for word in said if word[1] <= 1000 * SAID_S + 500]
    later = [word for word in said if word[1] > 1000 * SAID_S + 500]
    assert len(first) >= 5
    assert [text for _, _, text in later] == [text for _, _, text in first]
    shift_ms = 1000 * (SAID_S + MUTED_S)
    for (start, end, _), (later_start, later_end, _) in zip(first, later, strict=True):
        assert abs(later_start - start - shift_ms) <= 100
        assert abs(later_end - end - shift_ms) <= 100


@pytest.mark.parametrize(
    "fields", [{"gap_samples": PAUSE}, {"captured_ms": 1000 * (SAID_S + MUTED_S)}], ids=["declared", "captured"]
)
async def test_words_after_a_pause_are_where_they_were_said(somebody: Rest, fields: dict[str, int]) -> None:
    sentence = voice("slt", SAID_S)
    async with meeting_of(somebody, "ada", "bob") as meeting:
        await meeting.send(ada=voice("rms", 12) + silence(SAID_S + MUTED_S - 12), bob=sentence)
        # It holds back nobody, and its first sentence is final.
        await meeting.bot.until(lambda: meeting.caught_up().final_ms >= 40_000)
        assert meeting.check.states("bob") == {FINAL}
        before = meeting.check.words("bob")
        end = await unmuted(meeting.bot, sentence, **fields)
        counted = PAUSE if "gap_samples" in fields else 0
        assert end == 2 * SAID_S * RATE_HZ + counted
        await meeting.bot.until(lambda: meeting.bot.committed("bob") == end)
        await meeting.send(ada=silence(SAID_S + 30))
        # While it is silent again, the watermark goes on, over the pause and the sentence.
        await meeting.bot.until(lambda: meeting.caught_up().final_ms >= 1000 * (2 * SAID_S + MUTED_S))
        assert meeting.check.states("bob") == {FINAL}
        check = await meeting.finish(somebody)
    assert check.words("bob")[: len(before)] == before
    check_both_sentences(check.words("bob"))
    assert pb.WARNING_CODE_LATE_AUDIO not in {warning.code for warning in check.warnings}


async def test_four_people_are_muted_leave_join_late_and_share_a_microphone(somebody: Rest) -> None:
    muted_s = 600
    people = [participant("ada", "Ada"), participant("bob", "Bob"), participant("cyd", "Cyd")]
    async with connected(somebody) as bot:
        await bot.open(pb.LiveConfig(tracks=[*people, mixed("room", participant_name="Berlin")]))
        meeting = Meeting(bot)
        two_voices = b"".join(voice(name, 5, start_s) for start_s in (0, 5) for name in ("awb", "kal16"))
        await meeting.send(ada=voice("rms", 8), bob=voice("slt", SAID_S), cyd=voice("slt", 5, 8), room=two_voices)
        before_s = len(two_voices) // 2 / RATE_HZ
        # Ten minutes in which two people send nothing, and the others say nothing.
        await meeting.send(ada=silence(before_s - 8))
        for _ in range(12):
            await meeting.send(step_s=muted_s / 12, ada=silence(muted_s / 12), room=silence(muted_s / 12))
        # Voices of a room are told apart over the whole meeting; nobody else waits for that.
        await bot.until(lambda: meeting.caught_up().words_ms >= 1000 * muted_s)
        assert [meeting.check.states(track) for track in ("ada", "bob", "cyd", "room")] == [{FINAL}] * 3 + [{STABLE}]
        # One comes back, one leaves without having been heard again, one joins.
        gap = round((before_s + muted_s) * RATE_HZ) - SAID_S * RATE_HZ
        back = await unmuted(bot, voice("slt", SAID_S), gap_samples=gap)
        await bot.send(pb.StreamMeetingRequest(end_track=pb.EndTrack(track_id="cyd")))
        await bot.until(lambda: bot.committed("bob") == back)
        joins_ms = round(1000 * (before_s + muted_s + SAID_S))
        await bot.send(pb.StreamMeetingRequest(add_track=participant("dee", "Dee", start_ms=joins_ms)))
        await meeting.send(dee=voice("rms", 8, 8), ada=silence(SAID_S + 8), room=silence(SAID_S + 8))
        await bot.until(lambda: len(meeting.caught_up().words("dee")) >= 5)
        check = await meeting.finish(somebody)
    names = {turn.track_id: set[str]() for turn in bot.of("turn")}
    for turn in bot.of("turn"):
        names[turn.track_id].add(turn.alias)
    assert (names["ada"], names["bob"], names["cyd"], names["dee"]) == ({"Ada"}, {"Bob"}, {"Cyd"}, {"Dee"})
    # Until it is known which of its voices it is.
    assert names["room"] - {"Unknown"} == {"Berlin 1", "Berlin 2"}
    said = {track: [word for word in check.words(track) if word[0] >= 1000 * muted_s] for track in names}
    assert {track for track, words in said.items() if words} == {"bob", "dee"}
    first, later = check.words("bob")[: -len(said["bob"])], said["bob"]
    assert [text.strip(".,?").lower() for *_, text in later] == [text.strip(".,?").lower() for *_, text in first]
    assert all(word[0] >= joins_ms for word in check.words("dee"))


async def test_a_killed_server_knows_the_pause_and_takes_its_chunk_once(pausing: System, somebody: Rest) -> None:
    sentence = voice("slt", SAID_S)
    tracks = [participant("ada", "Ada"), participant("bob", "Bob")]
    async with connected(somebody) as bot:
        ready = await bot.open(pb.LiveConfig(tracks=tracks))
        await bot.audio(sentence, 0, "bob")
        end = await unmuted(bot, sentence, gap_samples=PAUSE)
        await bot.until(lambda: bot.committed("bob") == end)
    pausing.kill("api")
    check = LiveChecker()
    async with Resumed(somebody, ready.session_id) as bot:
        (position,) = [track.next_sample for track in bot.ready.tracks if track.track_id == "bob"]
        assert position == end
        # Everything comes once more, as from a client that has seen no acknowledgement.
        await bot.audio(sentence, 0, "bob")
        assert await unmuted(bot, sentence, gap_samples=PAUSE) == end
        await bot.audio(voice("rms", 12) + silence(2 * SAID_S + MUTED_S - 12), 0, "ada")
        finished = await bot.finish()
        for response in bot.received:
            check.hear(response)
    assert finished.status == "ready"
    assert check.broken == []
    check.check_rest(lambda path: somebody.get(path, file_hash=finished.file_hash).json())
    check_both_sentences(check.words("bob"))
    # What is handed out has the pause too.
    archive = somebody.http.get("/api/organization/export", timeout=600)
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as files:
        (name,) = [n for n in files.getnames() if n.endswith(f"{finished.file_hash}/track-1.wav")]
        data = files.extractfile(name)
        assert data is not None
        with wave.open(data) as opened_wav:
            pcm = np.frombuffer(opened_wav.readframes(opened_wav.getnframes()), "<i2")
    said = np.frombuffer(sentence, "<i2")
    np.testing.assert_array_equal(pcm, np.concatenate([said, np.zeros(PAUSE, np.int16), said]))


class Resumed:
    """A connection to a meeting that a killed server held, once another server answers."""

    def __init__(self, rest: Rest, session_id: str) -> None:
        self._rest, self._session_id = rest, session_id

    async def __aenter__(self) -> Bot:
        while True:
            self._connection = connected(self._rest)
            bot = await self._connection.__aenter__()
            with suppress(grpc.aio.AioRpcError):
                await bot.open(pb.LiveConfig(session_id=self._session_id, take_over=True))
                return bot
            await self._connection.__aexit__(None, None, None)

    async def __aexit__(self, *_: object) -> None:
        await self._connection.__aexit__(None, None, None)


async def test_an_undeclared_jump_is_still_refused(somebody: Rest) -> None:
    async with connected(somebody) as bot:
        await bot.open(pb.LiveConfig(tracks=[mixed()]))
        await bot.audio(silence(1))
        # One chunk: the call ends with it.
        await bot.audio(silence(0.2), 5 * RATE_HZ)
        refused = await failure(bot)
    assert refused.code() is grpc.StatusCode.OUT_OF_RANGE
    assert f"leaves a gap; send from {RATE_HZ}" in (refused.details() or "")


async def test_the_drift_of_a_clock_is_told_and_corrected(somebody: Rest) -> None:
    async with connected(somebody) as bot:
        ready = await bot.open(pb.LiveConfig(tracks=[mixed()]))
        end_ms = await drifting(bot, chunks=300, ppm=500)
        await bot.until(lambda: bool(bot.of("clock")))
        (clock,) = bot.of("clock")
        assert clock.track_id == "mix"
        assert clock.drift_ppm == pytest.approx(500, abs=20)
        assert clock.corrected_ms < 0
        finished = await bot.finish()
    assert finished.status == "ready"
    assert bot.of("watermark")[-1].final_through_ms == pytest.approx(end_ms, abs=50)
    assert ready.file_hash == finished.file_hash


async def drifting(bot: Bot, chunks: int, ppm: float) -> float:
    """Silence in chunks of half a second that a clock counts too many samples of; returns its end, milliseconds."""
    half = RATE_HZ // 2
    for number in range(chunks):
        captured_ms = round(500 * number / (1 + ppm / 1e6))
        chunk = pb.AudioChunk(track_id="mix", first_sample=number * half, data=silence(0.5), captured_ms=captured_ms)
        await bot.send(pb.StreamMeetingRequest(audio=chunk))
    return 500 * chunks / (1 + ppm / 1e6)


def test_plain_calls_pause_too(somebody: Rest) -> None:
    ready = opened(somebody)
    path, params = f"{OPEN}/{ready['session_id']}/audio", {"owner": ready["owner"], "track_id": "mic"}

    def send(first_sample: int, **fields: int) -> dict[str, object]:
        answer = somebody.http.post(
            path, params={**params, "first_sample": first_sample, **fields}, content=silence(0.5)
        ).json()
        assert isinstance(answer, dict)
        return answer

    def next_sample(answer: dict[str, object]) -> int:
        return answer["ack"]["tracks"][0]["next_sample"]  # type: ignore[index,no-any-return]

    half = RATE_HZ // 2
    assert next_sample(send(0, captured_ms=0)) == half
    for _ in range(2):
        assert next_sample(send(half + PAUSE, gap_samples=PAUSE)) == 2 * half + PAUSE
    assert next_sample(send(2 * half + PAUSE, captured_ms=90_000)) == 3 * half + PAUSE
    assert "leaves a gap" in str(send(10**8)["message"])
    assert "gap_samples" in str(send(5, gap_samples=6)["message"])
    assert "limit of" in str(send(2**32 - 1, gap_samples=2**32 - 1 - 3 * half - PAUSE)["message"])
    assert control(somebody, ready, "CONTROL_FINISH").status_code == 200
    assert somebody.settled(ready["file_hash"])["status"] == "ready"
    listed = somebody.get("/single-feature-api/meetings").json()["meetings"]
    assert {m["duration_ms"] for m in listed if m["file_hash"] == ready["file_hash"]} == {90_500}
