"""What a machine's GPU lacks, told of what drivers and packages say of such machines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference.gpu.needs import GIB, Found, Torch, problems, summary
from inference.gpu.nvml import Card, Driver

# As an H200's driver of the 580 series and torch's wheels for CUDA 13.0 answer.
H200 = Card("NVIDIA H200", 143_771 * 1024**2, 4 * 1024**2, (9, 0))
DRIVER = Driver("580.65.06", (13, 0), (H200,))
TORCH = Torch("2.13.0+cu130", (13, 0), True, 92000, (7, 5))
READY = Found(
    DRIVER, TORCH, ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"), 1, True, True
)
T4 = Card("Tesla T4", 15_360 * 1024**2, 9_000 * 1024**2, (7, 5))
P100 = Card("Tesla P100-PCIE-16GB", 16_384 * 1024**2, 0, (6, 0))


def test_nothing_is_missing_on_a_machine_that_is_ready() -> None:
    assert problems(READY) == []
    assert summary(READY) == "NVIDIA H200 with 140 GiB; driver 580.65.06, for CUDA up to 13.0"


def test_a_machine_without_a_driver_runs_models_on_its_cpu() -> None:
    nothing = Found(None, None, (), 0, False, False)
    assert problems(nothing) == []
    assert summary(nothing) == "no NVIDIA driver: models run on the CPU"


@pytest.mark.parametrize(
    ("found", "text", "fix", "severe"),
    [
        (replace(READY, driver=Driver("580.65.06", (13, 0), ())), "finds no GPU", "check the card", True),
        (
            replace(READY, driver=Driver("535.230.02", (12, 2), (H200,)), torch=replace(TORCH, sees_gpu=False)),
            "the NVIDIA driver 535.230.02 is too old: it runs CUDA up to 12.2, and torch 2.13.0+cu130 needs CUDA 13",
            "install driver 580 or newer",
            True,
        ),
        (replace(READY, torch=None), "torch is not installed", "make gpu", False),
        (
            replace(READY, torch=Torch("2.13.0+cpu", None, False, None, None)),
            "torch 2.13.0+cpu is built for CPUs",
            "--force-reinstall torch==2.13.0",
            True,
        ),
        (replace(READY, torch=replace(TORCH, cudnn=None)), "finds no cuDNN", "make gpu", True),
        (
            replace(READY, driver=replace(DRIVER, cards=(P100,))),
            "Tesla P100-PCIE-16GB has compute capability 6.0; torch 2.13.0+cu130 has code for 7.5 and newer",
            "MEETRA_INFERENCE_DEVICE=cpu",
            True,
        ),
        (replace(READY, compiler=False), "there is no C compiler", "apt-get install gcc", False),
        (replace(READY, torch=replace(TORCH, sees_gpu=False)), "sees no GPU", "CUDA_VISIBLE_DEVICES", True),
        (replace(READY, onnx_providers=("CPUExecutionProvider",)), "ONNX models run on the CPU", "make gpu", False),
        (replace(READY, whisper_library=False), "cuBLAS 12", "make gpu", True),
        (
            replace(READY, driver=replace(DRIVER, cards=(T4,))),
            "Tesla T4 has 6.2 of 15.0 GiB free",
            "MEETRA_INFERENCE_DTYPE=bfloat16",
            False,
        ),
    ],
    ids=[
        "no card",
        "old driver",
        "no torch",
        "torch for CPUs",
        "no cuDNN",
        "old card",
        "no compiler",
        "card not seen",
        "ONNX Runtime for CPUs",
        "no cuBLAS 12",
        "little memory",
    ],
)
def test_what_is_missing_is_named_with_what_to_do(found: Found, text: str, fix: str, severe: bool) -> None:
    (problem,) = problems(found)
    assert text in problem.text
    assert fix in problem.fix
    assert problem.severe is severe


def test_a_newer_minor_version_of_cuda_needs_no_newer_driver() -> None:
    assert problems(replace(READY, torch=replace(TORCH, cuda=(13, 5)))) == []
    newer = Driver("610.10", (14, 0), (replace(H200, used_bytes=GIB),))
    assert problems(replace(READY, driver=newer)) == []
