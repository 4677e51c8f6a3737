"""What a graph takes and gives, against what is needed: by name, type and size."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inference.models import ModelUnfit
from inference.onnx.runtime.graph_contract import Tensor, check_graph, format_tensors, graph_fits

AUDIO, STATE = Tensor("audio", "float", (None, 512)), Tensor("state", "int64", (2, None))
NEEDED = Tensor("probability", "float", (None, 1))


def session(inputs: list[tuple[str, str, list[Any]]], outputs: list[tuple[str, str, list[Any]]]) -> Any:
    """What ONNX Runtime says of a graph; names and None in a shape are lengths that vary."""

    def nodes(tensors: list[tuple[str, str, list[Any]]]) -> list[Any]:
        return [SimpleNamespace(name=name, type=f"tensor({kind})", shape=shape) for name, kind, shape in tensors]

    return SimpleNamespace(get_inputs=lambda: nodes(inputs), get_outputs=lambda: nodes(outputs))


GOOD = session(
    [("state", "int64", [2, "n"]), ("audio", "float", ["batch", 512])],
    [("probability", "float", [None, 1]), ("more", "float", [])],
)


def test_order_and_further_outputs_do_not_matter() -> None:
    assert graph_fits(GOOD, [AUDIO, STATE], [NEEDED])
    check_graph(GOOD, Path("model.onnx"), [AUDIO, STATE], [NEEDED])


def test_every_input_must_be_given() -> None:
    assert not graph_fits(GOOD, [AUDIO], [NEEDED])
    with pytest.raises(ModelUnfit, match=r"model\.onnx takes state int64 \(2, \?\); audio float .*; expected: audio"):
        check_graph(GOOD, Path("/models/model.onnx"), [AUDIO], [NEEDED])


def test_an_output_that_is_missing_is_named() -> None:
    with pytest.raises(ModelUnfit, match=r"gives probability float .*; expected: speech float \(1\)"):
        check_graph(GOOD, Path("model.onnx"), [AUDIO, STATE], [Tensor("speech", "float", (1,))])


@pytest.mark.parametrize(
    ("other", "admitted"),
    [
        (AUDIO, True),
        (Tensor("audio", "float", (1, 512)), True),
        (Tensor("audio", "float", (1, None)), True),
        (Tensor("audio", "float", (1, 256)), False),
        (Tensor("audio", "float", (512,)), False),
        (Tensor("audio", "float16", (None, 512)), False),
        (Tensor("sound", "float", (None, 512)), False),
    ],
)
def test_a_length_that_varies_admits_any(other: Tensor, admitted: bool) -> None:
    assert AUDIO.accepts(other) is admitted


def test_nothing_is_said_as_such() -> None:
    assert (format_tensors([]), format_tensors([AUDIO])) == ("nothing", "audio float (?, 512)")
