"""The protos are enough for a stranger: in Node, with nothing of this repository but the folder ``proto``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.typescript.package import PROGRAMS, Workbench
from tests.recordings import ROOT, sample_pcm
from tools.generate import copy_googleapis

SECONDS = 10


@pytest.fixture(scope="module")
def protos(workbench: Workbench) -> Workbench:
    """A folder with the protos, and with google/api where npm's google-proto-files has it."""
    shutil.copytree(ROOT / "proto", workbench.folder / "proto")
    copy_googleapis(workbench.folder / "node_modules" / "google-proto-files")
    return workbench


def test_the_readme_of_the_protos_is_right_about_node(protos: Workbench, account: dict[str, str]) -> None:
    (program,) = re.findall(r"^```js\n(.*?)^```", (ROOT / "proto" / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    protos.add("readme.mjs", program.replace("localhost:8080", account["MEETRA_URL"].removeprefix("http://")))
    assert protos.run("readme.mjs", **account).startswith("[")


def test_a_meeting_is_streamed_over_grpc_from_node(protos: Workbench, account: dict[str, str], recording: Path) -> None:
    pcm = sample_pcm()[: SECONDS * 16_000]
    recording.write_bytes(pcm.astype("<i2").tobytes())
    shutil.copy(PROGRAMS / "grpc.mjs", protos.folder)
    told = protos.told("grpc.mjs", RECORDING=str(recording), **account)
    assert told["finished"]["status"] == "ready"
    assert told["acknowledged"] == len(pcm)
    assert told["events"] > 1
    assert told["parts"] > 0
    assert told["refused"] == ["NOT_FOUND", "MEETING_NOT_FOUND"]
