"""A flush of a streaming recogniser: the words it still holds back are told, on a copy of its state."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from inference.diarization import SpeechSegment
from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, RecognisedWord, StreamInput
from inference.models.recognition import StreamedWords
from inference.stages import AudioBuffer
from inference.words.streaming_recognition import StreamingRecognition

SECOND = SAMPLE_RATE_HZ


class CountingRecogniser:
    """Hears a number each second, and tells it a second later, or at the end. Its state is what it has heard."""

    languages = ("en",)
    word_times = True
    step_samples = SECOND // 2
    latency_samples = SECOND
    sessions_per_pass = 8
    processor_s = 0.0

    def initial_state(self) -> tuple[int, int]:
        return 0, 0

    def __call__(self, work: Any) -> list[tuple[StreamedWords, Any]]:
        return [self.step(one) for one in work]

    def step(self, item: StreamInput) -> tuple[StreamedWords, tuple[int, int]]:
        heard, told = item.state
        heard += len(item.samples)
        known = heard // SECOND if item.last else max(0, heard - self.latency_samples) // SECOND
        words = tuple(RecognisedWord(str(n), n + 0.1, n + 0.9, None) for n in range(told, known))
        return StreamedWords(words, None), (heard, max(told, known))


def stage() -> StreamingRecognition:
    model = CountingRecogniser()

    async def submit(_: object, item: StreamInput) -> tuple[StreamedWords, tuple[int, int]]:
        return model.step(item)

    engine = SimpleNamespace(
        models=SimpleNamespace(recogniser=model), streaming_recogniser=SimpleNamespace(submit=submit)
    )
    return StreamingRecognition(cast("ModelEngine", engine), None)


def told(words: list[RecognisedWord]) -> str:
    return " ".join(word.text for word in words)


async def test_a_flush_tells_what_the_latency_holds_back_and_the_next_step_replaces_it() -> None:
    words, audio = stage(), AudioBuffer()
    audio.append(np.zeros(4 * SECOND, np.float32))
    await words.advance(audio, 4 * SECOND)
    segment = SpeechSegment(0.0, 4.0)
    await words.extend_segment(0, segment, audio, 4 * SECOND)
    before = told(words.segment_words(0))
    assert words.awaits_words(0)
    final = words.final_through(4 * SECOND)
    await words.flush_segment(0, segment, audio)
    assert 0 in words.pop_changed_segments()
    assert (before, told(words.segment_words(0))) == ("0 1 2", "0 1 2 3")
    assert not words.awaits_words(0)
    # Words are known as far as the audio reaches, and final no further than before.
    assert words.first_pending_sample() == 4 * SECOND
    assert words.final_through(4 * SECOND) == final < 4 * SECOND
    audio.append(np.zeros(3 * SECOND, np.float32))
    await words.advance(audio, 7 * SECOND)
    await words.extend_segment(0, SpeechSegment(0.0, 7.0), audio, 7 * SECOND)
    assert 0 in words.pop_changed_segments()
    assert told(words.segment_words(0)) == "0 1 2 3 4 5"
    assert words.awaits_words(0)
    assert told(await words.finish(audio)) == "0 1 2 3 4 5 6"


async def test_words_of_a_flush_go_to_the_segment_they_lie_in() -> None:
    words, audio = stage(), AudioBuffer()
    audio.append(np.zeros(4 * SECOND, np.float32))
    await words.advance(audio, 4 * SECOND)
    for number, segment in enumerate((SpeechSegment(0.0, 2.5), SpeechSegment(2.9, 4.0))):
        await words.flush_segment(number, segment, audio)
    assert [told(words.segment_words(number)) for number in (0, 1)] == ["0 1 2", "3"]
