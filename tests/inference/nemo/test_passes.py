"""Passes of fixed sizes: padding that is left out again, and what happens where a size cannot be prepared."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("torch", reason=WITHOUT_NEMO)

import torch

from inference.nemo.buckets import Bucket, Buckets
from inference.nemo.passes import BucketedPasses, Pass, padded, prepare_passes

BUCKETS = Buckets((2, 8), (16, 32))


def network(frames: Any, lengths: Any) -> Any:
    """Twice the frames, and nothing after a row's end."""
    within = torch.arange(frames.shape[1])[None] < lengths[:, None]
    return 2 * frames * within[:, :, None]


def rows(count: int, frames: int) -> tuple[Any, Any]:
    lengths = torch.arange(frames, frames - count, -1)
    return torch.randn((count, frames, 3)) * (torch.arange(frames)[None] < lengths[:, None])[:, :, None], lengths


def test_padding_is_silence_and_rows_without_length() -> None:
    frames, lengths = rows(3, 10)
    more, more_lengths = padded(frames, lengths, Bucket(8, 16))
    assert more.shape == (8, 16, 3)
    assert torch.equal(more[:3, :10], frames)
    assert not more[3:].any()
    assert not more[:, 10:].any()
    assert more_lengths.tolist() == [10, 9, 8, 0, 0, 0, 0, 0]
    assert padded(frames, lengths, Bucket(3, 10)) == (frames, lengths)


@pytest.mark.parametrize(("count", "length", "size"), [(1, 5, (2, 16)), (3, 16, (8, 16)), (8, 17, (8, 32))])
def test_a_call_runs_at_the_fixed_size_that_fits(count: int, length: int, size: tuple[int, int]) -> None:
    used: list[Bucket] = []

    def at(bucket: Bucket) -> Pass:
        def run(frames: Any, lengths: Any) -> Any:
            used.append(bucket)
            assert frames.shape[:2] == (bucket.rows, bucket.frames)
            return network(frames, lengths)

        return run

    passes = BucketedPasses(network, {bucket: at(bucket) for bucket in BUCKETS}, BUCKETS)
    frames, lengths = rows(count, length)
    assert torch.equal(passes(frames, lengths), network(frames, lengths))
    assert used == [Bucket(*size)]


@pytest.mark.parametrize("prepared", [False, True], ids=["nothing prepared", "larger than prepared"])
def test_any_other_size_runs_as_it_comes_at_a_multiple_of_eight_frames(prepared: bool) -> None:
    seen: list[tuple[int, ...]] = []

    def forward(frames: Any, lengths: Any) -> Any:
        seen.append(tuple(frames.shape[:2]))
        return network(frames, lengths)

    passes = BucketedPasses(forward, dict.fromkeys(BUCKETS, network) if prepared else {}, BUCKETS)
    frames, lengths = rows(9, 33)
    assert torch.equal(passes(frames, lengths), network(frames, lengths))
    assert seen == [(9, 40)]


def test_every_size_is_prepared_largest_first_and_the_log_tells_how_far_it_is(caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    steps: list[object] = []

    def prepare(bucket: Bucket) -> Pass:
        steps.append(bucket)
        return network

    prepared = prepare_passes(BUCKETS, prepare, model="a.nemo", compile_layers=lambda: steps.append("compiled"))
    assert steps == ["compiled", Bucket(8, 32), Bucket(8, 16), Bucket(2, 32), Bucket(2, 16)]
    assert set(prepared) == set(BUCKETS)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4
    assert said[0].startswith("a.nemo: prepared passes of 8 rows and 32 frames in ")
    assert said[0].endswith("(1 of 4 sizes, layers compiled)")


@pytest.mark.parametrize("where", ["compiling", "first pass", "last pass"])
def test_layers_that_cannot_be_compiled_run_as_they_are(where: str, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    compiled, undone = [False], [0]

    def compile_layers() -> None:
        if where == "compiling":
            raise RuntimeError("no compiler")
        compiled[0] = True

    def undo() -> None:
        compiled[0] = False
        undone[0] += 1

    def prepare(bucket: Bucket) -> Pass:
        if compiled[0] and bucket == {"first pass": Bucket(8, 32), "last pass": Bucket(2, 16)}[where]:
            raise RuntimeError("no\ncompiler")
        return network

    prepared = prepare_passes(BUCKETS, prepare, model="a.nemo", compile_layers=compile_layers, undo_compilation=undo)
    assert set(prepared) == set(BUCKETS)
    assert undone == [1]
    (warning,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert warning == "a.nemo: its layers cannot be compiled here and run as they are, slower: no compiler"


def test_without_graphs_it_runs_as_it_comes(caplog: Any) -> None:
    caplog.set_level(logging.INFO)

    def prepare(bucket: Bucket) -> Pass:
        raise RuntimeError("out of memory")

    prepared = prepare_passes(BUCKETS, prepare, model="a.nemo", compile_layers=lambda: None)
    assert not prepared
    assert "a.nemo: it runs without CUDA graphs" in caplog.text
    assert "out of memory" in caplog.text
    frames, lengths = rows(2, 8)
    assert torch.equal(BucketedPasses(network, prepared, BUCKETS)(frames, lengths), network(frames, lengths))
