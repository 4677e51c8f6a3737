"""Runs of a graph whose results stay on the device for the next run, instead of a copy to main memory and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.onnx.runtime.execution import CPU

OnDevice = Any
"""``onnxruntime.OrtValue``: a tensor in the memory of the device that a session runs on. It is never changed."""


class DeviceGraph:
    """A session of ONNX Runtime with I/O binding: each result goes where it is used next, and nowhere else."""

    def __init__(self, session: Any) -> None:
        """``session``: an ``onnxruntime.InferenceSession``."""
        self.session = session
        self.device = "cpu" if session.get_providers()[0] == CPU else "cuda"
        """Where kept results are."""

    def run(
        self,
        inputs: Mapping[str, NDArray[Any] | OnDevice],
        *,
        read: Sequence[str] = (),
        keep: Sequence[str] = (),
        into: Mapping[str, NDArray[Any]] | None = None,
    ) -> tuple[list[NDArray[Any]], list[OnDevice]]:
        """Run the graph once.

        Args:
            inputs: by name: arrays, and kept results of earlier runs, also of other graphs on this device.
            read: names of outputs to return as arrays.
            keep: names of outputs that a later run takes.
            into: by name of output: where to write it, an array of its shape and type without gaps.

        Returns:
            The outputs of ``read``, and those of ``keep``.

        Raises:
            ValueError: an array of ``into`` has gaps.
        """
        binding = self.session.io_binding()
        for name, value in inputs.items():
            if isinstance(value, np.ndarray):
                binding.bind_cpu_input(name, value)
            else:
                binding.bind_ortvalue_input(name, value)
        for name in read:
            binding.bind_output(name, "cpu")
        for name in keep:
            binding.bind_output(name, self.device)
        for name, target in (into or {}).items():
            if not target.flags.c_contiguous:
                raise ValueError(f"into[{name!r}] has gaps; give an array that is contiguous")
            binding.bind_output(name, "cpu", 0, target.dtype.type, target.shape, target.ctypes.data)
        self.session.run_with_iobinding(binding)
        outputs = binding.get_outputs()
        return [value.numpy() for value in outputs[: len(read)]], outputs[len(read) : len(read) + len(keep)]
