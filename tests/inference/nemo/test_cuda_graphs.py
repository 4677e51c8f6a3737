"""Compiled layers and CUDA graphs: results as without them, from several threads, and undone where they do not work.

Graphs need a GPU; without one, only what surrounds them is tried.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.models import StreamInput
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

import torch

from inference.nemo.cuda_graphs import compile_layers, compiled_code_cache, undo_compilation
from inference.nemo.sortformer import SortformerDiarizer
from tests.inference.nemo.test_sortformer import BOUND, LOW, told_by_nemo, told_in_turns
from tests.inference.nemo.tiny_models import recording, sortformer

pytestmark = pytest.mark.usefixtures("nemo")
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")


def test_compiled_code_is_kept_where_no_other_user_writes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    layer = torch.nn.Linear(2, 2)
    compile_layers([layer], 7)
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "meetra" / "torch") == str(compiled_code_cache())
    assert torch._dynamo.config.recompile_limit >= 28, "more sizes than torch compiles by default"
    assert layer._compiled_call_impl is not None
    undo_compilation([layer])
    assert layer._compiled_call_impl is None


def test_what_a_user_chose_as_cache_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    compile_layers([], 1)
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path)


@on_gpu
@pytest.mark.parametrize("sessions", [1, 7, 32])
def test_graphs_tell_what_nemo_tells_with_sessions_that_join_and_leave(sessions: int) -> None:
    diarizer = SortformerDiarizer(sortformer().to("cuda"), LOW, max_rows=sessions, compiled=True)
    seconds = [6.4 + 0.137 * number for number in range(sessions)]
    sounds = [recording(length, seed) for seed, length in enumerate(seconds)]
    told, _, _ = told_in_turns(diarizer, sounds, [number // 4 for number in range(sessions)])
    for seed, (length, frames) in enumerate(zip(seconds, told, strict=True)):
        expected = told_by_nemo(4, LOW, length, seed)
        assert np.abs(frames[: len(expected)] - expected).max() < BOUND


@on_gpu
def test_two_calls_at_once_and_one_that_fails_disturb_no_other() -> None:
    diarizer = SortformerDiarizer(sortformer().to("cuda"), LOW, max_rows=16, compiled=True)
    assert diarizer.calls_at_once == 2
    groups = [[recording(6 + 0.3 * number, 10 * group + number) for number in range(8)] for group in range(4)]

    def run(sounds: Sequence[Any]) -> list[Any]:
        return told_in_turns(diarizer, sounds, [0] * len(sounds))[0]

    alone = [run(sounds) for sounds in groups]
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(run, groups)
        with pytest.raises(ValueError, match="fewer only with last"):
            diarizer([StreamInput(np.zeros(1, np.float32), diarizer.initial_state())])
        for found, expected in zip(together, alone, strict=True):
            for one, other in zip(found, expected, strict=True):
                assert np.abs(one - other).max() < BOUND


@on_gpu
def test_a_graph_that_cannot_be_recorded_is_done_without(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no graphs here")

    caplog.set_level(logging.INFO)
    monkeypatch.setattr("inference.nemo.cuda_graphs.torch.cuda.graph", broken)
    diarizer = SortformerDiarizer(sortformer().to("cuda"), LOW, max_rows=4, compiled=True)
    assert "runs without CUDA graphs" in caplog.text
    told, _, _ = told_in_turns(diarizer, [recording(5, 0)], [0])
    expected = told_by_nemo(4, LOW, 5, 0)
    assert np.abs(told[0][: len(expected)] - expected).max() < BOUND
