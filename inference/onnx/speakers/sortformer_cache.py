"""The arrival-order speaker cache of a streaming Sortformer, in NumPy.

Source: Medennikov et al., "Streaming Sortformer: Speaker Cache-Based Online Speaker Diarization with Arrival-Time
Ordering", Interspeech 2025, numerically equal to NeMo's ``streaming_update`` for one recording, which ``diarize()``
runs. NeMo's update for rows of different ages uses other probabilities when a cache is first compressed and gives other
frames; here each session is updated alone, whatever the ages of the sessions in its batch.

Where scores are equal, NeMo keeps any of the frames. Here it is the earliest, of the speaker who came first.

d: the width of the encoder, k: the maximum number of speakers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inference.sortformer import StreamingSettings

Frames = NDArray[np.float32]
_SPEAKING_THRESHOLD = 0.5


class CacheRules(BaseModel):
    """Scoring of frames, from the checkpoint; the names are NeMo's."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    spkcache_sil_frames_per_spk: int = Field(ge=0, le=1000)
    """Frames of silence after those of each speaker."""
    sil_threshold: float = Field(ge=0, le=100)
    """A frame whose probabilities sum to less is silence."""
    pred_score_threshold: float = Field(gt=0, lt=1)
    """Lower bound of probabilities in scores."""
    strong_boost_rate: float = Field(ge=0, le=100)
    """Share of a speaker's slots for best frames, kept before all others."""
    weak_boost_rate: float = Field(ge=0, le=100)
    """Share of a speaker's slots for best frames that are preferred, so that no speaker crowds out another."""
    min_pos_scores_rate: float = Field(ge=0, le=100)
    """Once single-speaker frames fill this share of a speaker's slots, overlapped ones are left out."""
    scores_boost_latest: float = Field(ge=0, le=100)
    """Added to scores of frames that are new to the cache."""


@dataclass(frozen=True, slots=True)
class SpeakerMemory:
    """Memory of a session. Immutable: a step creates a new one, so that a call can be repeated."""

    cache: Frames
    """Cached frames of speakers, shape (n, d), n at most speaker_cache."""
    cache_probabilities: Frames | None
    """Shape (n, k); None until the cache is first compressed."""
    fifo: Frames
    """The latest frames, shape (n, d), n at most fifo."""
    silence: Frames
    """Mean frame of silence, shape (d,)."""
    silent_frames: int
    """Number of frames averaged in it."""


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Results of a step for a session's chunk."""

    embeddings: Frames
    """Of the chunk's frames, shape (frames, d)."""
    cache_probabilities: Frames
    """Of the cached frames, given this chunk, shape (cache, k)."""
    fifo_probabilities: Frames
    """Shape (fifo, k)."""
    chunk_probabilities: Frames
    """Shape (frames, k)."""


def empty_memory(width: int) -> SpeakerMemory:
    """Return the memory of a new session; ``width``: d."""
    empty = np.zeros((0, width), np.float32)
    return SpeakerMemory(empty, None, empty, np.zeros(width, np.float32), 0)


def update_memory(
    memory: SpeakerMemory, result: ChunkResult, settings: StreamingSettings, rules: CacheRules
) -> SpeakerMemory:
    """Add a chunk to the memory: it enters the fifo, whose oldest frames move to the cache on overflow."""
    fifo = np.concatenate([memory.fifo, result.embeddings])
    if len(fifo) <= settings.fifo:
        return replace(memory, fifo=fifo)
    count = min(max(settings.update_period, len(fifo) - settings.fifo), len(fifo))
    probabilities = np.concatenate([result.fifo_probabilities, result.chunk_probabilities])[:count]
    silence, silent_frames = _updated_silence(memory, fifo[:count], probabilities, rules)
    cache = np.concatenate([memory.cache, fifo[:count]])
    known = memory.cache_probabilities
    full = len(cache) > settings.speaker_cache
    if full and known is None:
        # Before the first compression, cached frames have the probabilities of the current step.
        known = result.cache_probabilities
    kept = None if known is None else np.concatenate([known, probabilities])
    if full and kept is not None:
        cache, kept = compress(cache, kept, silence, settings.speaker_cache, rules)
    # A copy: a view would keep the moved frames in memory.
    return SpeakerMemory(cache, kept, fifo[count:].copy(), silence, silent_frames)


def compress(
    embeddings: Frames, probabilities: Frames, silence: Frames, size: int, rules: CacheRules
) -> tuple[Frames, Frames]:
    """Select the ``size`` frames that best represent the speakers.

    Args:
        embeddings: shape (n, d), n > size; the first ``size`` were cached before.
        probabilities: shape (n, k), 0..1.
        silence: mean frame of silence, shape (d,); it fills slots without a frame.
        size: number of frames to keep.
        rules: scoring.

    Returns:
        Frames, shape (size, d), by speaker and by time within each, and their probabilities, shape (size, k).
    """
    count, speakers = probabilities.shape
    speaker_slots = size // speakers - rules.spkcache_sil_frames_per_spk
    scores = _scores(probabilities, math.floor(speaker_slots * rules.min_pos_scores_rate), rules)
    scores[size:] += rules.scores_boost_latest
    _boost(scores, math.floor(speaker_slots * rules.strong_boost_rate), 2 * math.log(2))
    _boost(scores, math.floor(speaker_slots * rules.weak_boost_rate), math.log(2))
    silent = np.full((rules.spkcache_sil_frames_per_spk, speakers), np.inf, np.float32)
    by_speaker = np.concatenate([scores, silent]).T.ravel()
    best = np.argsort(-by_speaker, kind="stable")[:size]
    best = np.sort(best[by_speaker[best] != -np.inf]) % (count + len(silent))
    spoken = np.flatnonzero(best < count)
    kept = np.tile(silence, (size, 1))
    kept_probabilities = np.zeros((size, speakers), np.float32)
    kept[spoken] = embeddings[best[spoken]]
    kept_probabilities[spoken] = probabilities[best[spoken]]
    return kept, kept_probabilities


def _scores(probabilities: Frames, min_single_voice: int, rules: CacheRules) -> Frames:
    """Score each frame for each speaker, shape (n, k): high where the speaker surely speaks alone.

    -inf where the speaker is silent, and for overlap once there are ``min_single_voice`` single-speaker frames.
    """
    min_probability = np.float32(rules.pred_score_threshold)
    log_active = np.log(np.maximum(probabilities, min_probability))
    log_silent = np.log(np.maximum(np.float32(1) - probabilities, min_probability))
    scores = log_active - log_silent + log_silent.sum(axis=1, keepdims=True) - np.float32(math.log(0.5))
    active = probabilities > _SPEAKING_THRESHOLD
    single_voice = active & (scores > 0)
    kept = active & (single_voice | (single_voice.sum(axis=0) < min_single_voice))
    return np.where(kept, scores, np.float32(-np.inf))


def _boost(scores: Frames, count: int, by: float) -> None:
    """Raise the ``count`` highest scores of each speaker, in place."""
    best = np.argsort(-scores, axis=0, kind="stable")[:count]
    np.put_along_axis(scores, best, np.take_along_axis(scores, best, axis=0) + np.float32(by), axis=0)


def _updated_silence(
    memory: SpeakerMemory, embeddings: Frames, probabilities: Frames, rules: CacheRules
) -> tuple[Frames, int]:
    """Return the mean frame of silence, updated by silent ``embeddings``, and its number of frames."""
    silent = probabilities.sum(axis=1) < rules.sil_threshold
    found = int(silent.sum())
    if not found:
        return memory.silence, memory.silent_frames
    total = memory.silent_frames + found
    mean = (memory.silence * memory.silent_frames + embeddings[silent].sum(axis=0)) / total
    return np.asarray(mean, np.float32), total
