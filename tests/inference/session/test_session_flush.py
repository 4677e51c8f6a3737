"""A flush tells what is known so far, as if silence followed, and changes nothing of the end."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inference.engine import ModelEngine
from inference.session import Session, SessionConfig
from inference.stages import Event, FinishedEvent, ProgressEvent, TurnEvent, TurnState
from tests.recordings import RATE_HZ, sample_pcm

PATIENCE_S = 300
# The last word of the first sentence ends at 5.006 s, the next begins after 5.4 s.
SENTENCE_S = 5.1


class Listener:
    """A live session and what it has said."""

    def __init__(self, engine: ModelEngine, **known: object) -> None:
        self.session = Session(engine, SessionConfig(live=True, **known))  # type: ignore[arg-type]
        self.turns: dict[int, TurnEvent] = {}
        self.states: list[TurnState] = []
        self.progress: list[ProgressEvent] = []

    def hear(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, TurnEvent):
                self.turns[event.segment_id] = event
                self.states.append(event.state)
            elif isinstance(event, ProgressEvent):
                self.progress.append(event)

    async def push(self, pcm: NDArray[np.int16]) -> None:
        self.hear(await self.session.push(pcm))

    async def flush(self) -> None:
        """Flushes, and waits until every turn has ended and its words have come."""
        self.hear(await self.session.flush())
        async with asyncio.timeout(PATIENCE_S):
            while any(turn.state is TurnState.PARTIAL for turn in self.turns.values()):
                await self.session.changed.wait()
                self.hear(await self.session.poll())

    def words(self) -> list[str]:
        spoken = [word for turn in self.turns.values() for word in turn.words]
        return [word.text.strip(".,?").lower() for word in sorted(spoken, key=lambda word: word.start_s)]


async def ended(session: Session) -> list[Event]:
    """The final turns and the end, without what depends on live turns alone."""
    events = await session.finish()
    await session.close()
    turns = [(e.segment_id, e.speaker, e.start_s, e.end_s, e.words) for e in events if isinstance(e, TurnEvent)]
    (end,) = (e for e in events if isinstance(e, FinishedEvent))
    return [*turns, end.total_samples, end.language]  # type: ignore[list-item]


async def test_a_sentence_that_nothing_follows_is_told_whole(engine: ModelEngine) -> None:
    heard = Listener(engine, expected_speakers=1)
    pcm = sample_pcm()[: int(SENTENCE_S * RATE_HZ)]
    await heard.push(pcm)
    assert any(turn.state is TurnState.PARTIAL for turn in heard.turns.values())
    await heard.flush()
    assert {turn.state for turn in heard.turns.values()} == {TurnState.STABLE}
    assert max(turn.end_s for turn in heard.turns.values()) >= 4.9
    words = heard.words()
    await heard.session.close()
    whole = Listener(engine, expected_speakers=1)
    await whole.push(pcm)
    final = [event for event in await whole.session.finish() if isinstance(event, TurnEvent)]
    await whole.session.close()
    said = [word.text.strip(".,?").lower() for turn in final for word in turn.words]
    # Provisional words may differ from the final ones in a word or two, not in how much was heard.
    assert len(said) >= 8
    assert abs(len(words) - len(said)) <= 2
    assert words[-1] == said[-1]
    # Words are known as far as speech is.
    assert heard.progress[-1].processed_samples == heard.progress[-1].heard_samples
    assert heard.progress[-1].final_words_samples < heard.progress[-1].processed_samples


async def test_what_follows_goes_on_and_nothing_is_told_twice(engine: ModelEngine) -> None:
    heard = Listener(engine, expected_speakers=1)
    pcm, cut = sample_pcm(), int(2.9 * RATE_HZ)
    await heard.push(pcm[:cut])
    await heard.flush()
    assert {turn.state for turn in heard.turns.values()} == {TurnState.STABLE}
    heard.states.clear()
    # A flush without new audio tells nothing new.
    await heard.flush()
    assert heard.states == []
    for start in range(cut, 8 * RATE_HZ, RATE_HZ // 2):
        await heard.push(pcm[start : start + RATE_HZ // 2])
    assert TurnState.PARTIAL in heard.states
    await heard.flush()
    spoken = sorted((w for turn in heard.turns.values() for w in turn.words), key=lambda word: word.start_s)
    await heard.session.close()
    # What was told of the first sentence is replaced by what the whole of it gives, and nothing is told twice.
    assert all(after.start_s >= before.end_s - 0.01 for before, after in pairwise(spoken))
    (first, *_) = sorted(heard.turns.values(), key=lambda turn: turn.start_s)
    # Whether a full stop is heard depends on the processor.
    assert [word.text.lower().strip(".,") for word in first.words][-4:] == ["lead", "the", "meeting", "today"]


async def test_the_end_is_the_same_with_flushes_and_without(engine: ModelEngine) -> None:
    pcm = sample_pcm()[: 20 * RATE_HZ]
    plain, flushed = Session(engine, SessionConfig()), Session(engine, SessionConfig(live=True))
    await plain.push(pcm)
    # Within words, within blocks of the engine, and some without waiting for what they tell.
    for number, start in enumerate(range(0, len(pcm), 22_111)):
        await flushed.push(pcm[start : start + 22_111])
        await flushed.flush()
        if number % 3 == 0:
            await flushed.poll()
    assert await ended(flushed) == await ended(plain)


async def test_a_flush_of_silence_tells_nothing(engine: ModelEngine) -> None:
    heard = Listener(engine)
    await heard.flush()
    await heard.push(np.zeros(3 * RATE_HZ + 100, np.int16))
    await heard.flush()
    assert heard.turns == {}
    await heard.session.close()


async def test_only_live_sessions_are_flushed(engine: ModelEngine) -> None:
    session = Session(engine, SessionConfig())
    await session.push(sample_pcm()[: 3 * RATE_HZ])
    assert await session.flush() == []
    await session.close()


async def test_a_turn_that_silence_follows_is_ended_by_each_flush(engine: ModelEngine) -> None:
    heard = Listener(engine, expected_speakers=1)
    # Where a flush ends a segment, the detector's last window is not over: the segment ends a little before.
    await heard.push(sample_pcm()[: int(SENTENCE_S * RATE_HZ)])
    await heard.flush()
    heard.states.clear()
    for _ in range(6):
        await heard.push(np.zeros(RATE_HZ // 2, np.int16))
        await heard.flush()
        assert {turn.state for turn in heard.turns.values()} == {TurnState.STABLE}
    assert heard.words()[-1] == "today"
    await heard.session.close()
