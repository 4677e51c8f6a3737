"""How many threads NumPy and SciPy compute with."""

from __future__ import annotations

from threadpoolctl import threadpool_limits


def use_one_thread() -> None:
    """Let each operation of linear algebra run on the thread that asks for it.

    For the whole process, once NumPy and SciPy are imported. Models have threads of their own, and sessions run beside
    each other. By default the library (OpenBLAS) starts a thread for each processor, and these turn round and round
    while they wait for each other and for processors that models have: clustering 10 minutes of speech took twice the
    processor time and no less of the clock (docs/performance.md).
    """
    threadpool_limits(1, user_api="blas")
