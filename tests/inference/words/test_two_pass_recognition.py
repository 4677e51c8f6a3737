"""Words twice, live: what is guessed, what replaces it, and what is kept of it over hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.diarization.speech_segments import SpeechSegmenter
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord
from inference.session.session import BLOCK_WINDOWS, MARGIN_SAMPLES
from inference.stages.audio_buffer import AudioBuffer
from inference.words.two_pass_recognition import TwoPassRecognition
from tests.inference.words.scripted_windows import ScriptedWindows

VAD_WINDOW = 512
BLOCK = BLOCK_WINDOWS * VAD_WINDOW


class Listening:
    """A stage fed as Session feeds it, with a detector that says what it is told to."""

    def __init__(self, engine: ModelEngine, language: str = "") -> None:
        self.stage = TwoPassRecognition(engine, self, lambda: None, language=language, key_terms=())
        self.audio = AudioBuffer()
        self.heard = 0
        self._language = language
        self.told: dict[int, list[RecognisedWord]] = {}
        self._segmenter = SpeechSegmenter(VAD_WINDOW / SAMPLE_RATE_HZ)
        self._closed = 0
        self._random = np.random.default_rng(1)

    async def advance(self, speech: NDArray[np.bool_]) -> None:
        """Takes a block of the detector's windows."""
        samples = np.where(np.repeat(speech, VAD_WINDOW), self._random.uniform(-0.5, 0.5, BLOCK), 0.0)
        self.audio.append(samples.astype(np.float32))
        self.heard += BLOCK
        probabilities = np.where(speech, 0.9, 0.01).astype(np.float32)
        stage = self.stage
        stage.add_speech_probabilities(probabilities)
        needed = min(self.heard - MARGIN_SAMPLES, await stage.advance(self.audio, self.heard))
        for segment in self._segmenter.push(probabilities):
            await stage.close_segment(self._closed, segment, self.audio)
            self._closed += 1
        if (under_way := self._segmenter.open_segment) is not None:
            needed = min(needed, await stage.extend_segment(self._closed, under_way, self.audio, self.heard))
        else:
            stage.abandon_segment()
        self.audio.drop_before(max(0, needed))

    async def tell(self) -> None:
        """Takes what has come."""
        for number in self.stage.pop_changed_segments():
            self.told[number] = self.stage.segment_words(number)
        self.stage.drop_before(self.stage.final_through(self.heard))

    async def hear_all(self, *lengths_s: float) -> None:
        """Speech and pauses by turns, seconds; what is under way is waited for at each block."""
        speech = np.concatenate(
            [np.full(round(s * SAMPLE_RATE_HZ / VAD_WINDOW), place % 2 == 0) for place, s in enumerate(lengths_s)]
        )
        for block in range(0, len(speech) - BLOCK_WINDOWS + 1, BLOCK_WINDOWS):
            await self.advance(speech[block : block + BLOCK_WINDOWS])
            await self.settle()
            await self.tell()

    async def settle(self) -> None:
        """Waits for the words under way, but for those of windows that wait for the language."""
        if first := self.stage._provisional._pending._tasks:
            await asyncio.wait(first)
        if final := self.stage._final._pending._tasks:
            # A given language is waited for by none. One that is detected may take until the end of the meeting.
            await asyncio.wait(final, timeout=None if self._language else 0.02)


@pytest.fixture
async def scripted(engine: ModelEngine) -> AsyncIterator[tuple[ModelEngine, ScriptedWindows]]:
    recogniser = ScriptedWindows()
    own = ModelEngine(replace(engine.models, recogniser=recogniser))
    yield own, recogniser
    await own.close()


def texts(words: list[RecognisedWord]) -> set[str]:
    return {"?" if word.text == "?" else "written" for word in words}


async def test_a_guess_is_replaced_when_the_window_that_holds_it_is_written(
    scripted: tuple[ModelEngine, ScriptedWindows],
) -> None:
    session = Listening(scripted[0], "en")
    await session.hear_all(5, 2)
    assert texts(session.told[0]) == {"?"}
    assert session.stage.first_pending_sample() is None
    assert not session.stage.awaits_words(0)
    assert session.stage.final_through(session.heard) <= 16_000 // 2, "nothing of it is final"
    await session.hear_all(5, 2)
    assert texts(session.told[0]) == {"written"}
    assert texts(session.told[1]) == {"?"}
    words = await session.stage.finish(session.audio)
    assert texts(list(words)) == {"written"}
    await session.stage.close()


async def test_an_hour_of_sparse_speech_leaves_nothing_behind(scripted: tuple[ModelEngine, ScriptedWindows]) -> None:
    engine, _ = scripted
    session = Listening(engine, "en")
    stage = session.stage
    kept = []
    for _ in range(60):
        await session.hear_all(*[1.0, 11.0] * 5)
        kept.append(
            max(
                len(stage._ends_s),
                len(stage._final_spans),
                len(stage._provisional._words),
                len(stage._final._segments),
                len(list(stage._final._pending)),
                (session.audio.end - session.audio._first) // SAMPLE_RATE_HZ,
            )
        )
    assert session.heard / SAMPLE_RATE_HZ > 3500
    assert len(session.told) == 300
    assert max(kept) <= 8, "a window of them, and the last"
    assert all(texts(words) == {"written"} for number, words in session.told.items() if number < 290)
    assert len(await stage.finish(session.audio)) >= 2 * 300
    await stage.close()


async def test_guesses_are_in_the_language_that_is_known(scripted: tuple[ModelEngine, ScriptedWindows]) -> None:
    engine, recogniser = scripted
    given = Listening(engine, "de")
    await given.hear_all(3, 1)
    assert {task.language for task in recogniser.guesses} == {"de"}
    await given.stage.close()
    recogniser.guesses, recogniser.spoken = [], "de"
    detected = Listening(engine)
    await detected.hear_all(4, 1, 10, 1, 10, 1)
    languages = [task.language for task in recogniser.guesses]
    assert languages[0] == "", "it is asked for"
    assert languages[-1] == "de", "and soon known"
    assert detected.stage.language == "de"
    assert detected.stage.confidence_in("de") == pytest.approx(0.9)
    await detected.stage.close()
