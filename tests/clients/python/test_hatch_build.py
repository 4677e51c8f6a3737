"""The client's wheel stands alone: it brings the generated code, and needs nothing of the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.recordings import ROOT

pytestmark = pytest.mark.children

IMPORTED = """
import sys
sys.path.insert(0, sys.argv[1])
import meetra_client, meetra.v1.live_pb2
print(meetra_client.__file__, meetra.v1.live_pb2.__file__, "server" in sys.modules)
"""


def test_the_wheel_holds_the_client_and_the_messages_and_imports_nothing_of_the_server(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "clients" / "python", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("meetra_client-*.whl")
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    run = [sys.executable, "-I", "-c", IMPORTED, str(unpacked)]
    client, messages, server = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
    assert Path(client).is_relative_to(unpacked)
    assert Path(messages).is_relative_to(unpacked)
    assert server == "False"
