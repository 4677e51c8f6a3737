"""The final words of sessions: the same live and uploaded, written once, and final where they are said to be."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord
from inference.session import Session, SessionConfig
from inference.stages.events import Event, FinishedEvent, ProgressEvent, SessionStage, TurnEvent, TurnState
from inference.words.speech_windows import SpeechWindow
from tests.inference.words.scripted_windows import ScriptedWindows
from tests.recordings import sample_pcm

Pcm = NDArray[np.int16]
# With a pause in which a window is closed, and an end in the middle of a word.
PCM = np.concatenate(
    [sample_pcm()[: 30 * SAMPLE_RATE_HZ], np.zeros(35 * SAMPLE_RATE_HZ, np.int16), sample_pcm()[:150_000]]
)


@pytest.fixture
async def scripted(engine: ModelEngine) -> AsyncIterator[tuple[ModelEngine, ScriptedWindows]]:
    recogniser = ScriptedWindows()
    own = ModelEngine(replace(engine.models, recogniser=recogniser))
    yield own, recogniser
    await own.close()


@pytest.fixture(scope="module")
async def live(engine: ModelEngine) -> AsyncIterator[list[Event]]:
    """What is said to somebody who listens."""
    own = ModelEngine(replace(engine.models, recogniser=ScriptedWindows()))
    yield await run(own, PCM, 1600, live=True)
    await own.close()


async def run(engine: ModelEngine, pcm: Pcm, chunk: int = 8192, **config: object) -> list[Event]:
    """All that a session says."""
    session = Session(engine, SessionConfig(**config))  # type: ignore[arg-type]
    said: list[Event] = []
    try:
        for start in range(0, len(pcm), chunk):
            said += await session.push(pcm[start : start + chunk])
            if config.get("live"):
                await asyncio.sleep(0)
                said += await session.poll()
        return said + await session.finish()
    finally:
        await session.close()


@pytest.mark.parametrize("live", [False, True])
async def test_the_audio_of_windows_is_released_once_their_words_are_known(
    scripted: tuple[ModelEngine, ScriptedWindows], live: bool
) -> None:
    own, recogniser = scripted
    session = Session(own, SessionConfig(live=live))
    for start in range(0, len(PCM), 8192):
        await session.push(PCM[start : start + 8192])
    await session.finish()
    assert len(recogniser.windows) > 3
    gc.collect()
    assert not [kept for kept in gc.get_objects() if type(kept) is SpeechWindow]
    await session.close()


def final(said: Sequence[Event]) -> list[TurnEvent]:
    return [replace(e, revision=0) for e in said if isinstance(e, TurnEvent) and e.state is TurnState.FINAL]


def words_of(turns: Sequence[TurnEvent]) -> list[RecognisedWord]:
    return sorted(
        (word for turn in turns for word in turn.words), key=lambda word: (word.start_s, word.end_s, word.text)
    )


def _by_time(word: RecognisedWord) -> tuple[float, float, str]:
    return word.start_s, word.end_s, word.text


def ended(words: Sequence[RecognisedWord], samples: int) -> list[RecognisedWord]:
    return [word for word in words if word.end_s * SAMPLE_RATE_HZ <= samples]


def standings(said: Sequence[Event]) -> list[tuple[ProgressEvent, list[RecognisedWord]]]:
    """Each progress, with all words told by then."""
    told: dict[int, TurnEvent] = {}
    found = []
    for event in said:
        if isinstance(event, TurnEvent):
            told[event.segment_id] = event
        elif isinstance(event, ProgressEvent) and event.stage == SessionStage.ANALYSING:
            found.append((event, words_of(list(told.values()))))
    return found


async def test_live_ends_as_uploaded_however_audio_comes(
    scripted: tuple[ModelEngine, ScriptedWindows], live: list[Event]
) -> None:
    engine, recogniser = scripted
    uploaded = await run(engine, PCM, 333)
    windows = sorted(window.tobytes() for window in recogniser.windows)
    assert len(words_of(final(uploaded))) > 25
    assert max(map(len, recogniser.windows)) <= recogniser.max_window_s * SAMPLE_RATE_HZ
    assert not recogniser.guesses, "nobody listens"
    assert final(live) == final(uploaded)
    assert as_told(live[-1]) == as_told(uploaded[-1])
    recogniser.windows = []
    at_once = await run(engine, PCM, len(PCM), live=True)
    assert final(at_once) == final(uploaded)
    assert as_told(at_once[-1]) == as_told(uploaded[-1])
    assert sorted(window.tobytes() for window in recogniser.windows) == windows, "each is heard once"


def as_told(event: Event) -> tuple[object, ...]:
    assert isinstance(event, FinishedEvent)
    return event.total_samples, event.voices.vectors.tobytes(), event.language, event.language_confidence


async def test_words_said_to_be_final_stay(live: list[Event]) -> None:
    ends = words_of(final(live))
    before = 0
    for standing, told in standings(live):
        through = standing.final_words_samples
        assert before <= through <= standing.processed_samples <= standing.heard_samples
        assert ended(told, through) == ended(ends, through)
        before = through
    assert before > 0.8 * len(PCM)


async def test_words_come_for_now_and_then_for_good(live: list[Event]) -> None:
    first: dict[int, list[str]] = {}
    for event in live:
        if isinstance(event, TurnEvent) and event.words and event.state is not TurnState.FINAL:
            kinds = {"?" if word.text == "?" else "written" for word in event.words}
            first.setdefault(event.segment_id, []).append("".join(sorted(kinds)))
    assert sum(kinds[0] == "?" for kinds in first.values()) > 2, "what was guessed comes first"
    assert all(kinds[-1] == "written" for number, kinds in sorted(first.items())[:-2]), "and is replaced"
    assert all(word.text != "?" for word in words_of(final(live)))
    stable = [event for event in live if isinstance(event, TurnEvent) and event.state is TurnState.STABLE]
    assert any(word.text == "?" for turn in stable for word in turn.words), "a turn that ended may be revised"


async def test_nothing_is_told_twice(live: list[Event]) -> None:
    for standing, told in standings(live):
        written = [word for word in told if word.text != "?"]
        assert len(written) == len(set(written))
        places = [(word.start_s, word.end_s) for word in told]
        covered_s = sum(end - start for start, end in places)
        assert covered_s <= standing.heard_samples / SAMPLE_RATE_HZ
        for word in written:
            inside = [w for w in told if w.text == "?" and word.start_s < (w.start_s + w.end_s) / 2 < word.end_s]
            assert not inside, "what was guessed is gone where words are written"


async def test_the_language_is_told_and_a_given_one_wins(scripted: tuple[ModelEngine, ScriptedWindows]) -> None:
    engine, recogniser = scripted
    for listening in (False, True):
        recogniser.tasks = []
        end = (await run(engine, PCM[:90_000], live=listening))[-1]
        assert isinstance(end, FinishedEvent)
        assert end.language == "en"
        assert end.language_confidence == pytest.approx(0.9)
        assert {(task.language, task.language_given) for task in recogniser.tasks} == {("en", False)}
        recogniser.tasks, recogniser.guesses = [], []
        end = (await run(engine, PCM[:90_000], live=listening, language="de", key_terms=("Meetra",)))[-1]
        assert isinstance(end, FinishedEvent)
        assert (end.language, end.language_confidence) == ("de", None)
        assert {(task.language, task.language_given, task.key_terms) for task in recogniser.tasks} == {
            ("de", True, ("Meetra",))
        }
        assert {task.language for task in recogniser.guesses} == ({"de"} if listening else set())


async def test_terms_are_not_for_a_recogniser_that_knows_none(scripted: tuple[ModelEngine, ScriptedWindows]) -> None:
    engine, recogniser = scripted
    recogniser.uses_key_terms = False
    await run(engine, PCM[:100_000], key_terms=("Meetra",))
    assert {task.key_terms for task in recogniser.tasks} == {()}


@pytest.mark.parametrize("listening", [False, True])
async def test_a_window_that_fails_fails_its_own_session_alone(
    scripted: tuple[ModelEngine, ScriptedWindows], listening: bool
) -> None:
    engine, _ = scripted
    pcm = PCM[:100_000]
    faulty = pcm.copy()
    faulty[3 * SAMPLE_RATE_HZ] = 32767

    async def fail() -> None:
        with pytest.raises(RuntimeError, match="cannot be written"):
            await run(engine, faulty, live=listening)

    wanted = final(await run(engine, pcm, live=listening))
    said, _ = await asyncio.gather(run(engine, pcm, live=listening), fail())
    assert final(said) == wanted
    assert engine.sessions == 0


@pytest.mark.parametrize("listening", [False, True])
async def test_silence_has_no_words_and_no_language(
    scripted: tuple[ModelEngine, ScriptedWindows], listening: bool
) -> None:
    engine, recogniser = scripted
    for samples in (0, 100, 3 * SAMPLE_RATE_HZ):
        end = (await run(engine, np.zeros(samples, np.int16), live=listening))[-1]
        assert isinstance(end, FinishedEvent)
        assert (end.total_samples, end.language, end.language_confidence) == (samples, "", None)
    assert not recogniser.windows


async def test_real_words_are_the_same_live_and_uploaded(engine: ModelEngine) -> None:
    pcm = sample_pcm()[: 18 * SAMPLE_RATE_HZ]
    uploaded, listened = await run(engine, pcm, 50_000), await run(engine, pcm, 1600, live=True)
    assert final(listened) == final(uploaded)
    texts = {word.text.strip(".,?").lower() for word in words_of(final(uploaded))}
    assert {"daniel", "budget", "server"} <= texts
