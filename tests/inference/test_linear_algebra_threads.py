"""Linear algebra leaves the processors to the models."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.children

THREADS = """
import json, sys
import numpy, scipy.linalg
from threadpoolctl import threadpool_info
from inference.linear_algebra_threads import use_one_thread

if sys.argv[1] == "one":
    use_one_thread()
print(json.dumps([library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]))
"""


def test_each_library_computes_on_the_thread_that_asks() -> None:
    one, several = (
        json.loads(subprocess.run([sys.executable, "-c", THREADS, how], check=True, capture_output=True).stdout)
        for how in ("one", "several")
    )
    # NumPy and SciPy bring one each.
    assert len(one) == len(several) >= 1
    assert set(one) == {1}
