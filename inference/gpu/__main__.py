"""Say what models on a GPU lack on this machine: ``python -m inference.gpu [--json]``."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import sysconfig
from dataclasses import asdict
from pathlib import Path

from inference.gpu.cuda_libraries import find_cublas
from inference.gpu.needs import Found, Problem, Torch, problems, summary
from inference.gpu.nvml import NvmlFailed, read_driver


def look() -> Found:
    """Ask the driver and the installed packages. Raises NvmlFailed."""
    driver = read_driver()
    if driver is None:
        # Importing torch takes seconds, and nothing needs it.
        return Found(None, None, (), 0, False, False)
    import ctranslate2
    import onnxruntime

    return Found(
        driver,
        _look_at_torch(),
        tuple(onnxruntime.get_available_providers()),
        ctranslate2.get_cuda_device_count(),
        find_cublas() is not None,
        has_compiler(),
    )


def has_compiler() -> bool:
    """Return whether torch can compile: it needs a C compiler, and the headers of Python."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return headers.is_file() and any(map(shutil.which, (os.environ.get("CC") or "cc", "gcc", "clang")))


def _look_at_torch() -> Torch | None:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    cuda = torch.version.cuda
    return Torch(
        torch.__version__,
        version_numbers(cuda) if cuda else None,
        torch.cuda.is_available(),
        torch.backends.cudnn.version() if cuda else None,
        oldest_capability(torch.cuda.get_arch_list()),
    )


def version_numbers(version: str) -> tuple[int, int]:
    """Return major and minor of "13.0"."""
    major, minor = [*version.split("."), "0"][:2]
    return int(major), int(minor)


def oldest_capability(architectures: list[str]) -> tuple[int, int] | None:
    """Return the least of names such as "sm_75" and "sm_90a"; None where there is none."""
    numbers = ["".join(filter(str.isdigit, name)) for name in architectures if name.startswith("sm_")]
    return min(((int(number[:-1]), int(number[-1])) for number in numbers if len(number) > 1), default=None)


def main() -> int:
    """Print the GPUs and what is missing; return 1 if a model asked to run on a GPU would not start."""
    try:
        found = look()
        text, missing = summary(found), problems(found)
    except NvmlFailed as error:
        text = "the NVIDIA driver does not answer"
        missing = [Problem(f"{text}: {error}", "restart the machine, or install the driver anew")]
    if "--json" in sys.argv[1:]:
        print(json.dumps({"summary": text, "problems": [asdict(problem) for problem in missing]}))
    else:
        print(text)
        for problem in missing:
            print(f"{'wrong' if problem.severe else 'advice'}: {problem.text}\n  {problem.fix}")
    return int(any(problem.severe for problem in missing))


if __name__ == "__main__":
    sys.exit(main())
