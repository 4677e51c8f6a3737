"""Which audio reaches the recogniser: pieces that end in pauses, none too long, nothing twice and nothing left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.engine import ModelEngine
from inference.models import SAMPLE_RATE_HZ, ModelSet, RecognisedWord, Samples
from inference.session import Session, SessionConfig
from inference.words.chunk_recognition import MIN_CHUNK_SHARE, TAIL_S
from tests.recordings import sample_pcm

MAX_S = 5.0


class NotingTranscriber:
    """Keeps what it is given, hears nothing."""

    languages: tuple[str, ...] = ("en",)
    max_chunk_s = MAX_S
    word_times = True

    def __init__(self) -> None:
        self.pieces: list[Samples] = []

    def __call__(self, chunks: Sequence[Samples]) -> list[tuple[RecognisedWord, ...]]:
        self.pieces += chunks
        return [()] * len(chunks)


@pytest.fixture
async def noting(models: ModelSet) -> AsyncIterator[tuple[ModelEngine, NotingTranscriber]]:
    transcriber = NotingTranscriber()
    engine = ModelEngine(replace(models, recogniser=transcriber))
    yield engine, transcriber
    # The models are shared and stay.
    for queue, _ in engine.statistics():
        await queue.close()


async def heard_of(engine: ModelEngine, pcm: NDArray[np.int16], chunk: int, *, live: bool) -> list[tuple[float, float]]:
    """The speech segments of a session, seconds."""
    session = Session(engine, SessionConfig(live=live))
    try:
        for start in range(0, len(pcm), chunk):
            await session.push(pcm[start : start + chunk])
        await session.finish()
        return [(segment.start_s, segment.end_s) for segment in session._speech]
    finally:
        await session.close()


async def test_pieces_cover_the_speech_and_end_where_nothing_is_said(
    noting: tuple[ModelEngine, NotingTranscriber],
) -> None:
    engine, transcriber = noting
    pcm = sample_pcm()
    segments = await heard_of(engine, pcm, SAMPLE_RATE_HZ, live=True)
    speech_s = sum(end - start for start, end in segments)
    heard_s = sum(len(piece) for piece in transcriber.pieces) / SAMPLE_RATE_HZ
    assert speech_s - 0.1 * len(segments) <= heard_s <= speech_s + (TAIL_S + 0.1) * len(segments)
    assert len(transcriber.pieces) > len(segments), "long speech comes in pieces"
    assert max(map(len, transcriber.pieces)) <= MAX_S * SAMPLE_RATE_HZ
    loudness = float(np.sqrt(np.mean(np.concatenate(transcriber.pieces) ** 2)))
    ends = [piece[-SAMPLE_RATE_HZ // 50 :] for piece in transcriber.pieces]
    faint = [float(np.sqrt(np.mean(end**2))) < loudness / 4 for end in ends]
    assert np.mean(faint) > 0.8


async def test_pieces_are_the_same_live_and_not_however_audio_comes(
    noting: tuple[ModelEngine, NotingTranscriber],
) -> None:
    engine, transcriber = noting
    pcm = sample_pcm()[: 30 * SAMPLE_RATE_HZ]
    found = []
    for chunk, live in ((333, True), (SAMPLE_RATE_HZ, True), (len(pcm), False)):
        transcriber.pieces = []
        await heard_of(engine, pcm, chunk, live=live)
        found.append(sorted(piece.tobytes() for piece in transcriber.pieces))
    assert found[0] == found[1] == found[2]


async def test_only_the_end_of_a_segment_is_a_short_piece(noting: tuple[ModelEngine, NotingTranscriber]) -> None:
    engine, transcriber = noting
    segments = await heard_of(engine, sample_pcm(), SAMPLE_RATE_HZ, live=True)
    least = int(MIN_CHUNK_SHARE * MAX_S * SAMPLE_RATE_HZ)
    short = sum(len(piece) < least for piece in transcriber.pieces)
    assert short <= len(segments) < len(transcriber.pieces)
