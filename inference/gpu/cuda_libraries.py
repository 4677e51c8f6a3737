"""CUDA libraries that wheels bring, for packages that look for them elsewhere."""

from __future__ import annotations

import ctypes
import site
import sys
from functools import cache
from pathlib import Path

# CTranslate2 opens this by its name; requirements/gpu.txt installs it.
_CUBLAS = "nvidia/cublas/lib/libcublas.so.12"


def find_cublas(folders: tuple[str, ...] | None = None) -> Path | None:
    """Return the path of cuBLAS 12 in the installed packages; None where no wheel brings it.

    Args:
        folders: of installed packages; None: those of this interpreter.
    """
    for folder in folders if folders is not None else (*site.getsitepackages(), *sys.path):
        path = Path(folder or ".", _CUBLAS)
        if path.is_file():
            return path
    return None


@cache
def load_cublas() -> bool:
    """Load cuBLAS 12, so that CTranslate2 finds it by its name; return whether a wheel brought it."""
    path = find_cublas()
    if path is None:
        return False
    # cublasLt first: cublas looks for it beside itself, and not every build says so.
    for name in ("libcublasLt.so.12", path.name):
        ctypes.CDLL(str(path.with_name(name)), mode=ctypes.RTLD_GLOBAL)
    return True
