"""Streaming Sortformer behind the FrameDiarizer Protocol: many sessions, of any ages, in one call of the model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.models import ModelUnfit, StreamInput
from inference.nemo.buckets import Buckets, buckets_for
from inference.nemo.checkpoint import load_checkpoint
from inference.nemo.cuda_graphs import Lanes, record_lanes
from inference.nemo.front_end import FeatureRow, MelFrontEnd
from inference.nemo.passes import BucketedPasses
from inference.nemo.runtime import torch_dtype
from inference.nemo.sortformer_network import SortformerNetwork
from inference.nemo.sortformer_state import ChunkResult, SortformerState, initial_state, update_states
from inference.sortformer import (
    FEATURES_PER_FRAME,
    FRAME_SAMPLES,
    Chunk,
    StreamingSettings,
    check_lengths,
    settings_for,
)

# Sessions in one forward pass. Batching gains nothing on a CPU: one took 1.06 s of a core, two 2.10 s
# (docs/engines-nemo.md). On a GPU the attention of more would take more than 10 GB at 30.4 s.
MAX_ROWS_CPU, MAX_ROWS_GPU = 1, 128
# While one call's pass runs on a GPU, another prepares its own and reads its results.
CALLS_AT_ONCE_GPU = 2


@dataclass(frozen=True, slots=True)
class _Row:
    """Input of one session for a forward pass."""

    index: int
    """Index of the session in the call."""
    state: SortformerState
    chunk: Chunk

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.state.cache) + len(self.state.fifo) + self.chunk.embedded


def apply_settings(model: Any, settings: StreamingSettings, name: str) -> None:
    """Set the sizes of a model's streaming. Raises ModelUnfit where they, or its encoder, do not fit."""
    modules = model.sortformer_modules
    modules.chunk_len, modules.chunk_right_context = settings.chunk, settings.right_context
    modules.chunk_left_context, modules.fifo_len = settings.left_context, settings.fifo
    modules.spkcache_len, modules.spkcache_update_period = settings.speaker_cache, settings.update_period
    try:
        modules._check_streaming_parameters()
    except (TypeError, ValueError) as error:
        raise ModelUnfit(f"{name}: {error}") from error
    # Three halvings make 2 frames of 13 features, unless they are causal.
    parameter = next(model.encoder.parameters())
    features = torch.zeros((1, 13, int(model.encoder._feat_in)), device=parameter.device, dtype=parameter.dtype)
    with torch.inference_mode():
        frames, _ = model.encoder.pre_encode(x=features, lengths=torch.tensor([13], device=parameter.device))
    if modules.subsampling_factor != FEATURES_PER_FRAME or frames.shape[1] != 2:
        raise ModelUnfit(f"{name}: its encoder must be non-causal with 8 features per frame")


class SortformerDiarizer:
    """FrameDiarizer on a NeMo ``SortformerEncLabelModel``; frames equal those of the model's own ``diarize()``.

    Sessions in a call may be of different ages: each row is its own cache, fifo and chunk packed to the left, of its
    own length. Rows do not influence one another.
    """

    frame_samples = FRAME_SAMPLES

    def __init__(
        self,
        model: Any,
        settings: StreamingSettings,
        *,
        dtype: str = "float32",
        name: str = "Sortformer",
        max_rows: int | None = None,
        compiled: bool = False,
        buckets: Buckets | None = None,
    ) -> None:
        """
        Args:
            model: a SortformerEncLabelModel, float32, in evaluation mode. It becomes this diarizer's: its weights get
                ``dtype``, and its sizes ``settings``.
            settings: sizes of chunk, context and caches.
            dtype: "float32", or "bfloat16" or "float16" for weights and computation; states stay float32.
            name: of the model, for messages.
            max_rows: maximum number of sessions in one forward pass.
            compiled: on a GPU, compile layers and record CUDA graphs, which takes minutes at first.
            buckets: the fixed sizes of passes; None: those of ``buckets_for`` where they are recorded, elsewhere none.

        Raises:
            ModelUnfit: the model is not a streaming Sortformer for 16 kHz, or the settings do not fit it.
        """
        self._modules, self._settings = model.sortformer_modules, settings
        self._device = next(model.parameters()).device
        self.on_gpu = self._device.type == "cuda"
        self.calls_at_once = CALLS_AT_ONCE_GPU if self.on_gpu else 1
        self.sessions_per_pass = max_rows or (MAX_ROWS_GPU if self.on_gpu else MAX_ROWS_CPU)
        self._front_end = MelFrontEnd(model.preprocessor, name)
        apply_settings(model, settings, name)
        self.max_speakers = int(self._modules.n_spk)
        self.latency_samples = settings.latency_samples
        self._network = SortformerNetwork(model, torch_dtype(dtype))
        width = int(self._modules.fc_d_model)
        # Shared by all sessions: a state's tensors are never changed.
        self._initial_state = initial_state(width, self._device)
        self._nothing = torch.zeros((1, width), device=self._device)
        forward = self._network.probabilities
        self._eager = BucketedPasses(forward, dict.fromkeys(buckets or (), forward), buckets)
        self._lanes: Lanes | None = None
        if self.on_gpu:
            sizes = buckets or buckets_for(self.sessions_per_pass, settings.max_frames)
            sizes = sizes if compiled else Buckets((), ())
            self._lanes = record_lanes(self._network, sizes, self.calls_at_once, width, self._device, name)

    @classmethod
    def load(cls, path: Path, *, latency: str, device: str, dtype: str, compiled: bool) -> SortformerDiarizer:
        """See ``inference.nemo.load_sortformer``."""
        torch_dtype(dtype)
        settings_for(latency, 4)  # reject an unknown name before minutes of loading
        model = load_checkpoint(path, {"SortformerEncLabelModel"}, device=device)
        if not model.streaming_mode:
            raise ModelUnfit(f"{path.name}: it processes whole recordings only; use a streaming Sortformer")
        settings = settings_for(latency, int(model.sortformer_modules.n_spk))
        return cls(model, settings, dtype=dtype, name=path.name, compiled=compiled)

    def initial_state(self) -> SortformerState:
        """Return the state before the first sample of a session."""
        return self._initial_state

    def needed_samples(self, state: SortformerState) -> int:
        """Return how much audio the session's next call takes."""
        return state.audio.needed_samples(self._settings)

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], SortformerState]]:
        check_lengths(work, self.needed_samples)
        states = [replace(item.state, audio=item.state.audio.with_samples(item.samples)) for item in work]
        emitted: list[list[NDArray[np.float32]]] = [[] for _ in work]
        with torch.inference_mode(), self.passes() as passes:
            # The last call of a session may emit several chunks, one after another.
            while rows := self._next_chunks(states, work):
                for row, frames, state in self._step_all(rows, passes):
                    emitted[row.index].append(frames)
                    states[row.index] = state
        results = []
        for item, frames_of, state in zip(work, emitted, states, strict=True):
            silence = np.zeros((state.audio.unemitted_frames() if item.last else 0, self.max_speakers), np.float32)
            state = replace(state, audio=state.audio.trimmed(self._settings))
            results.append((np.concatenate([*frames_of, silence]), state))
        return results

    def passes(self) -> AbstractContextManager[BucketedPasses]:
        """Return what runs a call's passes; until its context ends, they are this call's alone."""
        return self._lanes.take() if self._lanes else nullcontext(self._eager)

    def _next_chunks(self, states: Sequence[SortformerState], work: Sequence[StreamInput]) -> list[_Row]:
        """Return the next chunk of each session that has one, longest context last."""
        rows = [
            _Row(index, state, chunk)
            for index, (state, item) in enumerate(zip(states, work, strict=True))
            if (chunk := state.audio.next_chunk(self._settings, last=item.last)) is not None
        ]
        return sorted(rows, key=lambda row: row.length)

    def _step_all(
        self, rows: list[_Row], passes: BucketedPasses
    ) -> list[tuple[_Row, NDArray[np.float32], SortformerState]]:
        done: list[tuple[_Row, NDArray[np.float32], SortformerState]] = []
        for first in range(0, len(rows), self.sessions_per_pass):
            part = rows[first : first + self.sessions_per_pass]
            frames, states = self._step(part, passes)
            done += zip(part, frames, states, strict=True)
        return done

    def _step(
        self, rows: list[_Row], passes: BucketedPasses
    ) -> tuple[list[NDArray[np.float32]], list[SortformerState]]:
        """Run one forward pass; return each chunk's frames, shape (frames, max_speakers), and the new states."""
        chunks = [row.chunk for row in rows]
        features = self._front_end([FeatureRow(c.samples, c.guard, c.features) for c in chunks], self._device)
        counts, lengths = torch.tensor(
            [[chunk.features for chunk in chunks], [row.length for row in rows]], device=self._device
        )
        embedded = self._network.embed(features, counts)
        probabilities = passes(self._pack(rows, embedded), lengths)
        results = [self._chunk_result(row, embedded[index], probabilities[index]) for index, row in enumerate(rows)]
        states = update_states(results, self._settings, self._modules)
        # One transfer for all rows.
        numbers = torch.cat([answer.chunk_probabilities for answer in results]).cpu().numpy()
        return np.split(numbers, np.cumsum([chunk.frames for chunk in chunks])[:-1]), states

    def _pack(self, rows: Sequence[_Row], embedded: Any) -> Any:
        """Pack cache, fifo and chunk of each row to the left, zeros after; shape (rows, max frames, d)."""
        width = embedded.shape[2]
        stored = [part for row in rows for part in (row.state.cache, row.state.fifo)]
        frames = torch.cat([self._nothing, *stored, embedded.reshape(-1, width)])
        index = np.zeros((len(rows), max(row.length for row in rows)), np.int64)
        behind, own = 1, 1 + sum(map(len, stored))
        for target, row in zip(index, rows, strict=True):
            before = row.length - row.chunk.embedded
            target[:before] = np.arange(behind, behind + before)
            target[before : row.length] = np.arange(own, own + row.chunk.embedded)
            behind += before
            own += embedded.shape[1]
        return frames[torch.from_numpy(index).to(self._device)]

    @staticmethod
    def _chunk_result(row: _Row, embedded: Any, probabilities: Any) -> ChunkResult:
        cache = len(row.state.cache)
        fifo = cache + len(row.state.fifo)
        left, frames = row.chunk.left, row.chunk.frames
        return ChunkResult(
            state=row.state,
            embeddings=embedded[left : left + frames],
            cache_probabilities=probabilities[:cache],
            fifo_probabilities=probabilities[cache:fifo],
            chunk_probabilities=probabilities[fifo + left : fifo + left + frames],
        )
