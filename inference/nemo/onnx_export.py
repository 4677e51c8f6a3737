"""Shared parts of exports: tracing, comparison with torch, and output files that appear only once checked."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, Samples

TOLERANCE = 1e-4
"""Maximum difference from torch, as a share of the largest value, or of 1 where that is less."""
OPSET = 17
# A protobuf is limited to 2 GiB: larger weights go to a file of their own, as in published exports.
EXTERNAL_BYTES = 1_800_000_000
_OWN_FOLDER_PREFIX = ".export-"

Report = Callable[[str], None]
Arrays = Mapping[str, NDArray[Any]]


class ExportUnverified(Exception):
    """An exported graph's results differ from torch's; nothing was written."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export's files and accuracy."""

    files: tuple[Path, ...]
    max_difference: float
    """Largest difference from torch, in the measure of TOLERANCE."""


class Verification:
    """Compares a graph with torch, input by input."""

    def __init__(self, graph: Path) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        self._name = graph.name
        self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self.max_difference = 0.0
        self.cases = 0

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return every output of the graph by name; inputs that it does not take are ignored."""
        wanted = {node.name for node in self._session.get_inputs()}
        names = [node.name for node in self._session.get_outputs()]
        found = self._session.run(names, {name: value for name, value in inputs.items() if name in wanted})
        return dict(zip(names, found, strict=True))

    def compare(self, what: str, found: NDArray[Any], expected: NDArray[Any]) -> None:
        """Compare values. Raises ExportUnverified: shapes differ, or values by more than TOLERANCE."""
        self.cases += 1
        if found.shape != expected.shape:
            raise ExportUnverified(f"{self._name}: {what}: shape {found.shape}, and {expected.shape} of torch")
        difference = np.abs(found.astype(np.float64) - expected.astype(np.float64)).max(initial=0.0)
        difference /= max(1.0, np.abs(expected).max(initial=0.0))
        if not difference <= TOLERANCE:
            raise ExportUnverified(
                f"{self._name}: {what}: off by {difference:.2g} from torch; at most {TOLERANCE:g} is allowed"
            )
        self.max_difference = max(self.max_difference, float(difference))


@contextmanager
def staged_output(destination: Path) -> Iterator[Path]:
    """Yield a temporary folder; move its files to ``destination`` on success, delete them on failure."""
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_OWN_FOLDER_PREFIX, dir=destination) as temporary:
        folder = Path(temporary)
        yield folder
        # The JSON file last: where it exists, the graph is complete.
        for file in sorted(folder.iterdir(), key=lambda file: file.suffix == ".json"):
            shutil.move(file, destination / file.name)


def trace(
    module: Any,
    inputs: Mapping[str, Any],
    outputs: Sequence[str],
    dynamic_sizes: Mapping[str, Sequence[int]],
    path: Path,
) -> None:
    """Trace ``module`` and write it as an ONNX graph.

    Args:
        module: takes the values of ``inputs`` in their order.
        inputs: an example of each, by name.
        outputs: their names.
        dynamic_sizes: axes of any length, by name of an input or output.
        path: the file.
    """
    import torch
    from nemo.core.classes.common import typecheck

    axes = {name: {axis: f"{name}_{axis}" for axis in axis_numbers} for name, axis_numbers in dynamic_sizes.items()}
    with warnings.catch_warnings(), typecheck.disable_checks(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def externalise_weights(graph: Path, over_bytes: int = EXTERNAL_BYTES) -> tuple[Path, ...]:
    """Move the weights of a graph too large for one file into ``<graph>.data``; return the graph's files.

    The exporter writes each such weight to a file of its own.
    """
    import onnx

    weight_files = [
        file for file in graph.parent.iterdir() if file != graph and file.suffix not in (".onnx", ".json", ".data")
    ]
    if not weight_files and graph.stat().st_size <= over_bytes:
        return (graph,)
    model = onnx.load(str(graph))
    data = graph.with_name(f"{graph.name}.data")
    onnx.save_model(
        model,
        str(graph),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=data.name,
        size_threshold=1024,
    )
    # onnx creates it readable by its owner only.
    shutil.copymode(graph, data)
    for file in weight_files:
        file.unlink()
    return (graph, data)


def speech_like_noise(lengths: Sequence[int], seed: int) -> list[Samples]:
    """Return noise of several lengths (samples), as loud as speech, with a varying level."""
    rng = np.random.default_rng(seed)
    found = []
    for length in lengths:
        level = np.interp(np.arange(length), np.linspace(0, length, 8), rng.uniform(0.005, 0.2, 8))
        found.append(np.asarray(rng.standard_normal(length) * level, np.float32))
    return found


def write_description(file: Path, source: Path, content: Mapping[str, Any]) -> None:
    """Write the JSON file beside an export: ``content``, its source, and the versions that made it."""
    with source.open("rb") as checkpoint:
        digest = hashlib.file_digest(checkpoint, "sha256").hexdigest()
    more = {
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "source": {"file": source.name, "sha256": digest},
        "made_with": {
            "nemo": version("nemo_toolkit"),
            "torch": version("torch"),
            "onnx": version("onnx"),
            "opset": OPSET,
        },
    }
    file.write_text(json.dumps({**content, **more}, indent=2) + "\n", "utf-8")
