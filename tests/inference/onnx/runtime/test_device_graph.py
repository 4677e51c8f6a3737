"""Runs whose results stay on the device: equal to runs without, one after another, and written where they belong."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from inference.onnx.runtime import DeviceGraph, Execution, open_session
from tests.devices import onnx_device
from tests.inference.onnx.onnx_models import FLOAT, random, save


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> DeviceGraph:
    """A recurrence: the next state is tanh(x W + state), and the result its square."""
    path = save(
        tmp_path_factory.mktemp("graph") / "recurrence.onnx",
        [
            ("MatMul", ["x", "w"], ["heard"], {}),
            ("Add", ["heard", "state"], ["sum"], {}),
            ("Tanh", ["sum"], ["next"], {}),
            ("Mul", ["next", "next"], ["result"], {}),
        ],
        [("x", FLOAT, ["n", 4]), ("state", FLOAT, ["n", 8])],
        [("next", FLOAT, ["n", 8]), ("result", FLOAT, ["n", 8])],
        w=random(4, 8),
    )
    return DeviceGraph(open_session(path, Execution(device=onnx_device())))


def test_what_is_kept_is_the_next_runs_input_and_results_are_those_of_plain_runs(graph: DeviceGraph) -> None:
    steps = [random(3, 4, seed=number) for number in range(5)]
    state = plain = np.zeros((3, 8), np.float32)
    for step in steps:
        kept, result = graph.session.run(["next", "result"], {"x": step, "state": plain})
        (found,), (state,) = graph.run({"x": step, "state": state}, read=["result"], keep=["next"])
        assert isinstance(state, ort.OrtValue)
        assert state.device_name() == graph.device == onnx_device()
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, result, atol=1e-6)
        np.testing.assert_allclose(state.numpy(), kept, atol=1e-6)
        plain = kept


def test_a_kept_result_is_never_changed_by_later_runs(graph: DeviceGraph) -> None:
    """A failed call is repeated with the state that it had, and several sessions may begin with one."""
    zeros = np.zeros((1, 8), np.float32)
    _, (state,) = graph.run({"x": random(1, 4), "state": zeros}, keep=["next"])
    before = state.numpy().copy()
    first = [graph.run({"x": random(1, 4, seed=seed), "state": state}, keep=["next"])[1][0] for seed in range(20)]
    (again, _) = graph.run({"x": random(1, 4, seed=3), "state": state}, read=["next"])
    assert np.array_equal(state.numpy(), before)
    np.testing.assert_allclose(first[3].numpy(), again[0], atol=1e-6)


def test_a_result_is_written_into_the_array_that_is_given(graph: DeviceGraph) -> None:
    results = np.full((4, 1, 8), np.nan, np.float32)
    state = np.zeros((1, 8), np.float32)
    for index in range(3):
        inputs = {"x": random(1, 4, seed=index), "state": state}
        _, (state,) = graph.run(inputs, keep=["next"], into={"result": results[index]})
        np.testing.assert_allclose(results[index], state.numpy() ** 2, atol=1e-6)
    assert np.isnan(results[3]).all(), "and into no other"


def test_an_array_with_gaps_is_refused(graph: DeviceGraph) -> None:
    gaps = np.zeros((1, 16), np.float32)[:, ::2]
    inputs = {"x": random(1, 4), "state": np.zeros((1, 8), np.float32)}
    with pytest.raises(ValueError, match=r"into\['result'\] has gaps"):
        graph.run(inputs, into={"result": gaps})


def test_strided_inputs_are_read_as_they_are(graph: DeviceGraph) -> None:
    x = random(6, 8)[::2, ::2]
    zeros = np.zeros((3, 8), np.float32)
    (found,), _ = graph.run({"x": x, "state": zeros}, read=["result"])
    np.testing.assert_allclose(found, graph.session.run(["result"], {"x": x.copy(), "state": zeros})[0], atol=1e-6)
