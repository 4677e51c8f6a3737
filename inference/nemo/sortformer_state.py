"""State of a streaming Sortformer's session, and its update by a chunk.

The arrival-order speaker cache of Medennikov et al., "Streaming Sortformer" (2025), as NeMo's ``streaming_update``
computes it for one recording. NeMo's update for rows of different ages keeps probabilities from when a frame left the
fifo, instead of computing them anew when the cache is first compressed; its frames differ from those of ``diarize()``,
so it is not used here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from inference.sortformer import SessionAudio, StreamingSettings


@dataclass(frozen=True, slots=True)
class SortformerState:
    """State of a session between two calls. Immutable: a step creates a new one, so that a failed call can be repeated.

    d: the width of the encoder, k: the maximum number of speakers.
    """

    audio: SessionAudio
    cache: Any
    """Cached frames of speakers, float32, shape (n, d), n at most speaker_cache."""
    cache_probabilities: Any | None
    """Shape (n, k); None until the cache is first compressed."""
    fifo: Any
    """The latest frames, float32, shape (n, d), n at most fifo."""
    silence: Any
    """Mean frame of silence, shape (d,)."""
    silent_frames: Any
    """Number of frames averaged in it, int64, shape ()."""

    def tensor_bytes(self) -> int:
        """Return the memory that its tensors take, bytes."""
        tensors = (self.cache, self.cache_probabilities, self.fifo, self.silence, self.silent_frames)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor is not None)


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Results of a step for one session's chunk."""

    state: SortformerState
    embeddings: Any
    """Of the chunk's frames, shape (frames, d)."""
    cache_probabilities: Any
    """Of the cached frames, given this chunk, shape (cache, k)."""
    fifo_probabilities: Any
    """Shape (fifo, k)."""
    chunk_probabilities: Any
    """Shape (frames, k)."""


@dataclass(frozen=True, slots=True)
class _CacheUpdate:
    """Frames on their way from the fifo to the speaker cache."""

    row: int
    embeddings: Any
    probabilities: Any


def initial_state(width: int, device: Any) -> SortformerState:
    """Return the state of a new session; ``width``: d."""
    empty = torch.zeros((0, width), device=device)
    return SortformerState(
        audio=SessionAudio(),
        cache=empty,
        cache_probabilities=None,
        fifo=empty,
        silence=torch.zeros(width, device=device),
        silent_frames=torch.zeros((), dtype=torch.long, device=device),
    )


def update_states(chunks: Sequence[ChunkResult], settings: StreamingSettings, modules: Any) -> list[SortformerState]:
    """Return the states after their chunks. ``modules``: the model's SortformerModules, with the rules of scoring."""
    states: list[SortformerState] = []
    # Rows whose tensors have the same shapes share one computation.
    groups: dict[tuple[int, int, bool], list[_CacheUpdate]] = defaultdict(list)
    for row, chunk in enumerate(chunks):
        state = chunk.state
        fifo = torch.cat([state.fifo, chunk.embeddings])
        if len(fifo) > settings.fifo:
            count = min(max(settings.update_period, len(fifo) - settings.fifo), len(fifo))
            probabilities = torch.cat([chunk.fifo_probabilities, chunk.chunk_probabilities])
            key = (count, len(state.cache), state.cache_probabilities is not None)
            groups[key].append(_CacheUpdate(row, fifo[:count], probabilities[:count]))
            fifo = fifo[count:].clone()
        states.append(replace(state, fifo=fifo, audio=state.audio.with_emitted(len(chunk.embeddings))))
    for updates in groups.values():
        for update, state in zip(updates, _move_to_cache(updates, chunks, states, settings, modules), strict=True):
            states[update.row] = state
    return states


def _move_to_cache(
    updates: Sequence[_CacheUpdate],
    chunks: Sequence[ChunkResult],
    states: Sequence[SortformerState],
    settings: StreamingSettings,
    modules: Any,
) -> list[SortformerState]:
    """Move frames into the caches of rows of the same shapes; return their states."""
    row_states = [states[update.row] for update in updates]
    embeddings = torch.stack([update.embeddings for update in updates])
    probabilities = torch.stack([update.probabilities for update in updates])
    silences, silent = modules._get_silence_profile(
        torch.stack([state.silence for state in row_states]),
        torch.stack([state.silent_frames for state in row_states]),
        embeddings,
        probabilities,
    )
    caches = torch.cat([torch.stack([state.cache for state in row_states]), embeddings], dim=1)
    cache_probabilities = None
    compress = caches.shape[1] > settings.speaker_cache
    if compress or row_states[0].cache_probabilities is not None:
        # Before the first compression, cached frames have the probabilities of the current step.
        known = [
            chunks[update.row].cache_probabilities if state.cache_probabilities is None else state.cache_probabilities
            for update, state in zip(updates, row_states, strict=True)
        ]
        cache_probabilities = torch.cat([torch.stack(known), probabilities], dim=1)
    if compress:
        caches, cache_probabilities, _ = modules._compress_spkcache(caches, cache_probabilities, silences)
    return [
        # Copies: a session must not keep other sessions' results in memory.
        replace(
            state,
            cache=caches[index].clone(),
            cache_probabilities=None if cache_probabilities is None else cache_probabilities[index].clone(),
            silence=silences[index].clone(),
            silent_frames=silent[index].clone(),
        )
        for index, state in enumerate(row_states)
    ]
