"""What npm packs: code, types, and nothing that needs something else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.clients.typescript.package import SOURCE, Workbench
from tools.generate import project_version


def test_the_package_is_complete_by_itself(workbench: Workbench) -> None:
    files = {str(path.relative_to(workbench.client)) for path in workbench.client.rglob("*") if path.is_file()}
    assert {"README.md", "package.json", "dist/index.js", "dist/index.d.ts", "dist/generated/messages.d.ts"} <= files
    assert not [
        name for name in files if not re.fullmatch(r"README\.md|package\.json|LICENSE|dist/.*\.(js|d\.ts)", name)
    ]
    described = json.loads((workbench.client / "package.json").read_text())
    assert described["version"] == project_version()
    assert "dependencies" not in described


def test_the_client_imports_nothing_of_node() -> None:
    imports = {
        found
        for path in (SOURCE / "src").glob("*.ts")
        for found in re.findall(r'(?:from|import) "([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert imports
    assert [name for name in imports if not name.startswith("./")] == []


def test_a_wrong_request_does_not_compile(workbench: Workbench) -> None:
    workbench.add("wrong.ts", 'import { Meetra } from "meetra-client";\nawait new Meetra("").getTopics({});\n')
    with pytest.raises(AssertionError, match="file_hash"):
        workbench.compile("wrong.ts")


@pytest.mark.parametrize("program", ["pieces.test.js", "open_meeting.test.js"], ids=["pieces", "open-meeting"])
def test_the_parts_pass_their_own_tests(workbench: Workbench, program: str) -> None:
    workbench.run_node("--test", f"out/{program}")
    assert Path(workbench.folder, "out", program).exists()
