"""Asking NVIDIA's library: a library that answers as NVML does, one that fails, and none."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest

from inference.gpu import nvml
from inference.gpu.nvml import Card, Driver, NvmlFailed, read_driver, read_utilisation

# What an H200's driver answers, with the names and structures of nvml.h.
ANSWERS = r"""
#include <string.h>
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 13000; return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { strncpy(text, "580.65.06", size); return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = (void *)7; return index ? 2 : 0; }
int nvmlDeviceGetName(void *device, char *text, unsigned size) { strncpy(text, "NVIDIA H200", size); return 0; }
int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *sizes)
{ sizes[0] = 150754820096ULL; sizes[1] = 150000000000ULL; sizes[2] = 754820096ULL; return device == (void *)7 ? 0 : 2; }
int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) { *major = 9; *minor = 0; return 0; }
int nvmlDeviceGetUtilizationRates(void *device, unsigned *rates) { rates[0] = 87; rates[1] = 40; return 0; }
"""


def built(folder: Path, source: str) -> Path:
    """A shared library. Skips where nothing compiles C."""
    code, library = folder / "nvml.c", folder / "libnvidia-ml.so.1"
    code.write_text(source)
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, code], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    return library


def test_driver_card_and_utilisation_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "LIBRARY", str(built(tmp_path, ANSWERS)))
    card = Card("NVIDIA H200", 150_754_820_096, 754_820_096, (9, 0))
    assert read_driver() == Driver("580.65.06", (13, 0), (card,))
    assert read_utilisation(0) == pytest.approx(0.87)
    assert read_utilisation(1) is None, "there is no second card"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("int nvmlInit_v2(void) { return 18; }", "nvmlInit_v2: code 18"),
        (
            "int nvmlInit_v2(void) { return 0; } int nvmlShutdown(void) { return 0; }",
            "nvmlSystemGetCudaDriverVersion_v2: this driver does not have it",
        ),
    ],
    ids=["the kernel has another version", "a function is missing"],
)
def test_a_driver_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, problem: str
) -> None:
    monkeypatch.setattr(nvml, "LIBRARY", str(built(tmp_path, source)))
    with pytest.raises(NvmlFailed, match=problem):
        read_driver()
    assert read_utilisation(0) is None


def test_without_a_driver_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "LIBRARY", "libno-such-driver.so.1")
    with pytest.raises(OSError, match="libno-such-driver"):
        ctypes.CDLL(nvml.LIBRARY)
    assert read_driver() is None
    assert read_utilisation(0) is None
