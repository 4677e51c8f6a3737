"""Devices that tests run models on: a GPU where a backend finds one, and MEETRA_TEST_DEVICE is not cpu."""

from __future__ import annotations

import importlib.util
import os
from functools import cache

CPU, CUDA = "cpu", "cuda"


def _wanted() -> bool:
    return os.environ.get("MEETRA_TEST_DEVICE", "auto") != CPU


@cache
def torch_device() -> str:
    """Return "cuda" where torch is installed and sees a GPU, else "cpu"."""
    if not _wanted() or importlib.util.find_spec("torch") is None:
        return CPU
    import torch

    return CUDA if torch.cuda.is_available() else CPU


@cache
def onnx_device() -> str:
    """Return "cuda" where ONNX Runtime is built for it and the machine has a GPU, else "cpu"."""
    import onnxruntime

    from inference.gpu import NvmlFailed, read_driver

    try:
        driver = read_driver()
    except NvmlFailed:
        return CPU
    built_for_it = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    return CUDA if _wanted() and built_for_it and driver is not None and driver.cards else CPU
