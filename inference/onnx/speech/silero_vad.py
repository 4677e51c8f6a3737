"""Silero VAD in both published layouts: a graph for blocks of windows, and one for single windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, ModelUnfit, Samples, StreamInput, VoiceActivityDetector
from inference.onnx.runtime import (
    ON_CPU,
    DeviceGraph,
    Execution,
    OnDevice,
    Tensor,
    format_tensors,
    graph_fits,
    graph_inputs,
    graph_outputs,
    open_session,
)

WINDOW_SAMPLES = 512
# The graph takes each 512-sample window with the 64 samples before it.
CONTEXT_SAMPLES = 64
WIDTH = 128
_AUDIO_INPUT = Tensor("input", "float", (None, CONTEXT_SAMPLES + WINDOW_SAMPLES))
_STATE_INPUT = Tensor("state", "float", (2, 1, WIDTH))
_RATE_INPUT = Tensor("sr", "int64", ())
BLOCK_INPUTS = (_AUDIO_INPUT, Tensor("h", "float", (1, 1, WIDTH)), Tensor("c", "float", (1, 1, WIDTH)))
BLOCK_OUTPUTS = (
    Tensor("speech_probs", "float", (None,)),
    Tensor("hn", "float", (1, 1, WIDTH)),
    Tensor("cn", "float", (1, 1, WIDTH)),
)
STREAM_OUTPUTS = (Tensor("output", "float", (1, 1)), Tensor("stateN", "float", (2, 1, WIDTH)))


def load_silero(model: Path, execution: Execution = ON_CPU) -> VoiceActivityDetector:
    """Load a file of either layout. Raises ModelCorrupt, or ModelUnfit when it is of neither."""
    session = open_session(model, execution)
    if graph_fits(session, BLOCK_INPUTS, BLOCK_OUTPUTS):
        return SileroVad(session)
    for inputs in ((_AUDIO_INPUT, _STATE_INPUT, _RATE_INPUT), (_AUDIO_INPUT, _STATE_INPUT)):
        if graph_fits(session, inputs, STREAM_OUTPUTS):
            return SileroStreamVad(session)
    found = f"takes {format_tensors(graph_inputs(session))} and gives {format_tensors(graph_outputs(session))}"
    stream = (
        f"takes {format_tensors((_AUDIO_INPUT, _STATE_INPUT, _RATE_INPUT))} and gives {format_tensors(STREAM_OUTPUTS)}"
    )
    blocks = f"takes {format_tensors(BLOCK_INPUTS)} and gives {format_tensors(BLOCK_OUTPUTS)}"
    raise ModelUnfit(
        f"{model.name} {found}; expected: Silero's layout: it {stream}; or its layout for blocks: it {blocks}"
    )


@dataclass(frozen=True, slots=True)
class SileroState:
    """State of one session: LSTM states, shape (1, 1, 128) each, and the last 64 samples."""

    h: NDArray[np.float32] | OnDevice
    c: NDArray[np.float32] | OnDevice
    context: NDArray[np.float32]


class SileroVad:
    """VoiceActivityDetector on the ``silero_vad_16k_sequence`` graph (32 ms windows)."""

    window_samples = WINDOW_SAMPLES

    def __init__(self, model: Path | Any, execution: Execution = ON_CPU) -> None:
        """``model``: the file, or a session opened on it."""
        self._graph = DeviceGraph(open_session(model, execution) if isinstance(model, Path) else model)

    def initial_state(self) -> SileroState:
        """Return the state before the first sample: silence."""
        zeros = np.zeros((1, 1, 128), np.float32)
        return SileroState(zeros, zeros, np.zeros(CONTEXT_SAMPLES, np.float32))

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], SileroState]]:
        """Implement VoiceActivityDetector. Raises ValueError when samples are not whole windows."""
        # The graph is sequential in time within one session, so batching sessions would gain nothing.
        return [self._detect(item.samples, item.state) for item in work]

    def _detect(self, samples: Samples, state: SileroState) -> tuple[NDArray[np.float32], SileroState]:
        if not len(samples):
            return np.zeros(0, np.float32), state
        block, context = _windows(state.context, samples)
        inputs = {"input": block, "h": state.h, "c": state.c}
        (probabilities,), (h, c) = self._graph.run(inputs, read=["speech_probs"], keep=["hn", "cn"])
        return probabilities.reshape(-1), SileroState(h, c, context)


@dataclass(frozen=True, slots=True)
class SileroStreamState:
    """State of one session: LSTM state, shape (2, 1, 128), and the last 64 samples."""

    memory: NDArray[np.float32] | OnDevice
    context: NDArray[np.float32]


class SileroStreamVad:
    """VoiceActivityDetector on a graph that takes one window with its state (``silero_vad.onnx``)."""

    window_samples = WINDOW_SAMPLES

    def __init__(self, session: Any) -> None:
        """``session``: opened on a file of this layout, see ``load_silero``."""
        self._graph = DeviceGraph(session)
        takes_rate = any(tensor.name == _RATE_INPUT.name for tensor in graph_inputs(session))
        self._rate = {_RATE_INPUT.name: np.array(SAMPLE_RATE_HZ, np.int64)} if takes_rate else {}

    def initial_state(self) -> SileroStreamState:
        """Return the state before the first sample: silence."""
        return SileroStreamState(np.zeros((2, 1, WIDTH), np.float32), np.zeros(CONTEXT_SAMPLES, np.float32))

    def __call__(self, work: Sequence[StreamInput]) -> list[tuple[NDArray[np.float32], SileroStreamState]]:
        """Implement VoiceActivityDetector. Raises ValueError when samples are not whole windows."""
        return [self._detect(item.samples, item.state) for item in work]

    def _detect(self, samples: Samples, state: SileroStreamState) -> tuple[NDArray[np.float32], SileroStreamState]:
        block, context = _windows(state.context, samples)
        probabilities = np.zeros((len(block), 1), np.float32)
        memory = state.memory
        for index in range(len(block)):
            inputs = {"input": block[index : index + 1], "state": memory, **self._rate}
            _, (memory,) = self._graph.run(inputs, keep=["stateN"], into={"output": probabilities[index : index + 1]})
        return probabilities.reshape(-1), SileroStreamState(memory, context)


def _windows(context: Samples, samples: Samples) -> tuple[NDArray[np.float32], Samples]:
    """Return windows with their context, shape (n, 576), and the context of the next window, shape (64,)."""
    if len(samples) % WINDOW_SAMPLES:
        raise ValueError(f"{len(samples)} samples are not whole windows of {WINDOW_SAMPLES}")
    signal = np.concatenate([context, samples])
    if not len(samples):
        return np.zeros((0, CONTEXT_SAMPLES + WINDOW_SAMPLES), np.float32), signal
    windows = np.lib.stride_tricks.sliding_window_view(signal, CONTEXT_SAMPLES + WINDOW_SAMPLES)
    return np.ascontiguousarray(windows[::WINDOW_SAMPLES]), signal[-CONTEXT_SAMPLES:].copy()
