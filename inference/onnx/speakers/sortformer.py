"""Streaming Sortformer exported to ONNX: many sessions, of any ages, in one call, by ONNX Runtime and NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import ModelUnfit, Samples, StreamInput
from inference.onnx.features import LogMel
from inference.onnx.runtime import CPU, ON_CPU, Execution, open_session, varies_with_batch
from inference.onnx.speakers.sortformer_cache import ChunkResult, Frames, SpeakerMemory, empty_memory, update_memory
from inference.onnx.speakers.sortformer_description import check_settings, check_step, read_description
from inference.sortformer import (
    FEATURES_PER_FRAME,
    FRAME_SAMPLES,
    HOP_SAMPLES,
    Chunk,
    SessionAudio,
    StreamingSettings,
    check_lengths,
    settings_for,
)

# Sessions in one run of the graph. Batching gains nothing on a CPU; on a GPU more would take gigabytes at 30.4 s:
# attention over 32 rows of 609 frames takes 380 MB a layer with 8 heads.
MAX_ROWS_CPU, MAX_ROWS_GPU = 1, 32
# Tolerated influence of another row; rounding, and kernels for other shapes, cause far less.
_ROW_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class SortformerState:
    """State of a session between two calls."""

    audio: SessionAudio
    memory: SpeakerMemory


@dataclass(frozen=True, slots=True)
class _Row:
    """Input of one session for a run of the graph."""

    index: int
    """Index of the session in the call."""
    memory: SpeakerMemory
    chunk: Chunk

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.memory.cache) + len(self.memory.fifo) + self.chunk.embedded


class OnnxSortformer:
    """FrameDiarizer on the graph of ``inference.nemo.export_sortformer``; frames equal those of NeMo's ``diarize()``.

    Caches are kept in main memory, float32, and passed to the graph with each step.
    """

    frame_samples = FRAME_SAMPLES
    calls_at_once = 1

    def __init__(
        self,
        model: Path,
        execution: Execution = ON_CPU,
        *,
        latency: str = "1.04s",
        settings: StreamingSettings | None = None,
        max_rows: int | None = None,
    ) -> None:
        """Load a graph and its description.

        Args:
            model: the graph; its ``.json`` file of the same name is read too.
            execution: device and threads.
            latency: a name of ``inference.sortformer.latency.LATENCIES``.
            settings: override those of ``latency``.
            max_rows: maximum number of sessions in one run of the graph.

        Raises:
            ModelMissing, ModelCorrupt: a file is missing or cannot be parsed.
            ModelUnfit: another task, front end or graph, or an unknown latency.
        """
        settings_for(latency, 4)  # reject an unknown name before reading the graph
        self._description = description = read_description(model)
        self.max_speakers = description.max_speakers
        self._settings = settings = settings or settings_for(latency, self.max_speakers)
        check_settings(description, settings, model)
        self._mel = LogMel(description.mel)
        self._session = open_session(model, execution)
        check_step(self._session, model, description)
        self._unbatched = varies_with_batch(model)
        self.on_gpu = self._session.get_providers()[0] != CPU
        rows = MAX_ROWS_GPU if self.on_gpu else MAX_ROWS_CPU
        self.sessions_per_pass = 1 if self._unbatched else max_rows or rows
        self._probe_step(model.name)
        self.latency_samples = settings.latency_samples

    def initial_state(self) -> SortformerState:
        """Return the state before the first sample of a session."""
        return SortformerState(SessionAudio(), empty_memory(self._description.dimension))

    def needed_samples(self, state: SortformerState) -> int:
        """Return how much audio the session's next call takes."""
        return state.audio.needed_samples(self._settings)

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], SortformerState]]:
        check_lengths(work, self.needed_samples)
        audios = [item.state.audio.with_samples(item.samples) for item in work]
        memories = [item.state.memory for item in work]
        emitted: list[list[Frames]] = [[] for _ in work]
        # The last call of a session may emit several chunks, one after another.
        while rows := self._next_chunks(audios, memories, work):
            for row, result in zip(rows, self._step_all(rows), strict=True):
                emitted[row.index].append(result.chunk_probabilities)
                memories[row.index] = update_memory(row.memory, result, self._settings, self._description.streaming)
                audios[row.index] = audios[row.index].with_emitted(row.chunk.frames)
        results = []
        for item, frames, audio, memory in zip(work, emitted, audios, memories, strict=True):
            silence = np.zeros((audio.unemitted_frames() if item.last else 0, self.max_speakers), np.float32)
            state = SortformerState(audio.trimmed(self._settings), memory)
            results.append((np.concatenate([*frames, silence]), state))
        return results

    def _next_chunks(
        self, audios: Sequence[SessionAudio], memories: Sequence[SpeakerMemory], work: Sequence[StreamInput]
    ) -> list[_Row]:
        """Return the next chunk of each session that has one, longest context last."""
        rows = [
            _Row(index, memory, chunk)
            for index, (audio, memory, item) in enumerate(zip(audios, memories, work, strict=True))
            if (chunk := audio.next_chunk(self._settings, last=item.last)) is not None
        ]
        return sorted(rows, key=lambda row: row.length)

    def _step_all(self, rows: list[_Row]) -> list[ChunkResult]:
        parts = [rows[first : first + self.sessions_per_pass] for first in range(0, len(rows), self.sessions_per_pass)]
        return [result for part in parts for result in self._step(part)]

    def _step(self, rows: Sequence[_Row]) -> list[ChunkResult]:
        """Run the graph once."""
        probabilities, embeddings, _ = self._run(
            [self._spectra(row.chunk) for row in rows],
            [row.memory.cache for row in rows],
            [row.memory.fifo for row in rows],
        )
        results = []
        for row, row_probabilities, embedded in zip(rows, probabilities, embeddings, strict=True):
            cache = len(row.memory.cache)
            fifo = cache + len(row.memory.fifo)
            left, frames = row.chunk.left, row.chunk.frames
            # Copies: a session must not keep other sessions' results in memory.
            results.append(
                ChunkResult(
                    embeddings=embedded[left : left + frames].copy(),
                    cache_probabilities=row_probabilities[:cache].copy(),
                    fifo_probabilities=row_probabilities[cache:fifo],
                    chunk_probabilities=row_probabilities[fifo + left : fifo + left + frames].copy(),
                )
            )
        return results

    def _run(
        self, chunks: Sequence[Frames], caches: Sequence[Frames], fifos: Sequence[Frames]
    ) -> tuple[Frames, Frames, NDArray[np.int64]]:
        """Return ``preds``, ``chunk_embs`` and ``chunk_emb_lengths`` of sessions with inputs of different lengths."""
        inputs: dict[str, NDArray[np.generic]] = {}
        for name, parts in (("chunk", chunks), ("spkcache", caches), ("fifo", fifos)):
            lengths = np.array([len(part) for part in parts], np.int64)
            padded = np.zeros((len(parts), lengths.max(), parts[0].shape[1]), np.float32)
            for target, part in zip(padded, parts, strict=True):
                target[: len(part)] = part
            inputs[name], inputs[f"{name}_lengths"] = padded, lengths
        preds, embeddings, counts = self._session.run(["preds", "chunk_embs", "chunk_emb_lengths"], inputs)
        return preds, embeddings, counts

    def _spectra(self, chunk: Chunk) -> Frames:
        """Return the features of a chunk, shape (features, bands)."""
        samples: Samples = chunk.samples
        guard = chunk.guard
        if len(samples) < 2 * HOP_SAMPLES:
            # Very short recordings: prepended silence changes nothing, since silence precedes every recording.
            samples, guard = np.pad(samples, (2 * HOP_SAMPLES, 0)), guard + 2
        return self._mel(samples).T[guard : guard + chunk.features]

    def _probe_step(self, name: str) -> None:
        """Run the graph with two sessions of different ages. Raises ModelUnfit for wrong results."""
        rng = np.random.default_rng(0)
        bands, width, speakers = self._description.mel.bands, self._description.dimension, self.max_speakers

        def frames(count: int, size: int) -> Frames:
            return rng.standard_normal((count, size), np.float32)

        # Three halvings make 2 frames of 13 features, unless they are causal.
        chunks = [frames(FEATURES_PER_FRAME + 5, bands), frames(3 * FEATURES_PER_FRAME, bands)]
        caches, fifos = [frames(0, width), frames(5, width)], [frames(0, width), frames(2, width)]
        rows = 1 if self._unbatched else 2
        needed, longest = [2, 3][:rows], [2, 10][rows - 1]
        try:
            alone, _, _ = self._run(chunks[:1], caches[:1], fifos[:1])
            found, embeddings, counts = self._run(chunks[:rows], caches[:rows], fifos[:rows])
        except Exception as error:
            raise ModelUnfit(
                f"{name}: a step with sessions of different ages fails: {' '.join(str(error).split())[:400]}"
            ) from error
        if counts.tolist() != needed:
            raise ModelUnfit(f"{name} makes {counts.tolist()} frames of 13 and 24 features; expected {needed}")
        if found.shape[1] < longest or found.shape[2] != speakers or embeddings.shape[2] != width:
            raise ModelUnfit(
                f"{name} gives preds of shape {found.shape} and chunk_embs of shape {embeddings.shape}; expected "
                f"at least {longest} frames with {speakers} speakers, and width {width}"
            )
        difference = np.abs(found[0, :2] - alone[0, :2]).max()
        if not difference <= _ROW_TOLERANCE:
            raise ModelUnfit(
                f"{name}: probabilities of a session change by {difference:.2g} with another in the same call"
            )
