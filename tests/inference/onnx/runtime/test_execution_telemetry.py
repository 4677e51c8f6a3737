"""ONNX Runtime tells its maker nothing: no id of the machine, no store of events."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recordings import ROOT

SESSION = """
import sys
import numpy as np
from onnx import TensorProto, helper
{first}
import onnxruntime
values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
session.run(None, {{"x": np.ones(1, np.float32)}})
"""


def files_of(home: Path, first: str, **settings: str) -> list[Path]:
    """What a process leaves in an empty home; ``first`` is run before ONNX Runtime is imported."""
    home.mkdir()
    # Nothing of ours, as CI, under which ONNX Runtime says nothing either.
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), **settings}
    subprocess.run([sys.executable, "-c", SESSION.format(first=first)], env=environment, check=True, timeout=300)
    return [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.children
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it keeps its files in other places")
def test_onnx_runtime_keeps_no_id_of_the_machine_and_no_events(tmp_path: Path) -> None:
    assert files_of(tmp_path / "ours", "import inference", ORT_DISABLE_TELEMETRY="0") == []
    # What it does where nobody forbids it: if this changes, look where it keeps them now.
    assert files_of(tmp_path / "its", "") != []
