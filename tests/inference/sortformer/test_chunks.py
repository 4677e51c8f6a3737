"""Audio of a Sortformer's chunks: every frame is told once, with the audio and context that belong to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.models import StreamInput
from inference.sortformer.chunks import FEATURES_PER_FRAME, HOP_SAMPLES, Chunk, SessionAudio, check_lengths
from inference.sortformer.latency import FRAME_SAMPLES, StreamingSettings

SMALL = StreamingSettings(chunk=3, right_context=1, fifo=10, update_period=5, speaker_cache=20)


def chunks_of(samples: np.ndarray, sizes: list[int], settings: StreamingSettings) -> tuple[list[Chunk], SessionAudio]:
    """All chunks of a session whose audio comes in pieces of the given sizes, again and again."""
    audio, found, at, turn = SessionAudio(), [], 0, 0
    while at < len(samples):
        size = sizes[turn % len(sizes)]
        audio, at, turn = audio.with_samples(samples[at : at + size]), at + size, turn + 1
        last = at >= len(samples)
        while (chunk := audio.next_chunk(settings, last=last)) is not None:
            found.append(chunk)
            audio = audio.with_emitted(chunk.frames).trimmed(settings)
    return found, audio


@given(st.integers(1, 40 * FRAME_SAMPLES), st.lists(st.integers(1, 5 * FRAME_SAMPLES), min_size=1, max_size=4))
def test_chunks_do_not_depend_on_how_the_audio_comes(length: int, sizes: list[int]) -> None:
    samples = np.arange(length, dtype=np.float32)
    found, audio = chunks_of(samples, sizes, SMALL)
    whole, _ = chunks_of(samples, [length], SMALL)
    # The whole session is one call: its chunks near the end know that nothing follows, the audio is the same.
    assert [chunk.frames for chunk in found] == [chunk.frames for chunk in whole]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(found, whole, strict=True))
    told = sum(chunk.frames for chunk in found)
    assert told == -(-(length // HOP_SAMPLES) // FEATURES_PER_FRAME)
    assert told + audio.unemitted_frames() == -(-length // FRAME_SAMPLES)


def test_a_chunk_has_its_context_and_the_audio_before_it_that_its_spectra_need() -> None:
    found, _ = chunks_of(np.arange(20 * FRAME_SAMPLES, dtype=np.float32), [FRAME_SAMPLES], SMALL)
    first, second = found[:2]
    assert (first.left, first.guard, first.frames, first.embedded) == (0, 0, 3, 4)
    assert (second.left, second.guard, second.frames, second.embedded) == (1, 2, 3, 5)
    assert second.samples[0] == 2 * FRAME_SAMPLES - 2 * HOP_SAMPLES


def test_a_chunk_waits_for_all_of_its_right_context() -> None:
    enough = (SMALL.chunk + SMALL.right_context) * FRAME_SAMPLES + 40
    almost = SessionAudio().with_samples(np.zeros(enough - 1, np.float32))
    assert almost.next_chunk(SMALL, last=False) is None
    assert almost.needed_samples(SMALL) == 1
    assert almost.with_samples(np.zeros(1, np.float32)).next_chunk(SMALL, last=False) is not None
    ended = almost.next_chunk(SMALL, last=True)
    assert ended is not None
    assert ended.frames == SMALL.chunk


def test_audio_is_kept_only_as_long_as_it_is_needed() -> None:
    audio = SessionAudio()
    for number in range(200):
        needed = audio.needed_samples(SMALL)
        assert needed == (SMALL.chunk * FRAME_SAMPLES if number else SMALL.latency_samples)
        audio = audio.with_samples(np.zeros(needed, np.float32))
        chunk = audio.next_chunk(SMALL, last=False)
        assert chunk is not None
        audio = audio.with_emitted(chunk.frames).trimmed(SMALL)
        assert audio.next_chunk(SMALL, last=False) is None
        assert len(audio.samples) <= (SMALL.chunk + SMALL.right_context + 3) * FRAME_SAMPLES


def test_nothing_heard_is_nothing_told() -> None:
    audio = SessionAudio()
    assert audio.with_samples(np.zeros(0, np.float32)) is audio
    assert (audio.next_chunk(SMALL, last=True), audio.unemitted_frames()) == (None, 0)


def test_pieces_complete_a_chunk_but_the_last() -> None:
    whole, part = np.zeros(100, np.float32), np.zeros(99, np.float32)
    check_lengths(
        [StreamInput(whole, None), StreamInput(part, None, last=True), StreamInput(whole, None, last=True)],
        lambda _: 100,
    )
    long = np.zeros(101, np.float32)
    for wrong in (StreamInput(part, None), StreamInput(long, None), StreamInput(long, None, last=True)):
        with pytest.raises(ValueError, match="the 100 that complete a chunk, fewer only with last"):
            check_lengths([StreamInput(whole, None), wrong], lambda _: 100)
