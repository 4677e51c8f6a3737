"""The OpenAPI description made from the protos, held against the running system by schemathesis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Rest, System
from tests.e2e.contract import CONTRACT
from tests.e2e.test_live_http import TRACK
from tests.recordings import ROOT, excerpt

DESCRIPTION = ROOT / "gen" / "openapi.json"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def fuzzer(system: System) -> Rest:
    """A user of an organization of their own: what is done there harms nobody."""
    password = system.add_user("fuzzer@example.org", "--organization", "Fuzzed")
    return system.login("fuzzer@example.org", password)


def test_every_documented_path_is_described() -> None:
    paths = json.loads(DESCRIPTION.read_text())["paths"]
    for endpoint in CONTRACT:
        assert endpoint.method.lower() in paths[endpoint.path], endpoint
        if endpoint.by_hash and not endpoint.hash_optional:
            (parameter,) = [p for p in paths[endpoint.path]["get"]["parameters"] if p["name"] == "file-hash"]
            assert parameter["required"]


def test_the_system_answers_as_described(system: System, fuzzer: Rest, tmp_path: Path) -> None:
    kept, doomed = fuzzer.analysed(excerpt(20, mark="fuzzed")), fuzzer.analysed(excerpt(4, mark="doomed"))
    ids = [speaker["id"] for speaker in fuzzer.get("/api/meeting/speakers", file_hash=kept).json()["speakers"]]
    description: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    # The events of a meeting that goes on have no end; tests/e2e/test_live_http.py reads them.
    description["paths"].pop("/single-feature-api/live/{session_id}/events")
    # Nor is a call answered after the token was logged out.
    description["paths"].pop("/api/logout")
    live = fuzzer.http.post("/single-feature-api/live", json={"tracks": [TRACK]}).json()["ready"]["session_id"]
    # Real hashes and ids, so that most calls get as far as an answer.
    for path, operations in description["paths"].items():
        for verb, operation in operations.items():
            for parameter in operation["parameters"]:
                if parameter["name"] == "file-hash":
                    parameter["schema"]["enum"] = [doomed if verb == "delete" else kept]
                if parameter["name"] == "session_id":
                    parameter["schema"]["enum"] = [live]
                if parameter["name"] == "id" and "speakers" in path:
                    parameter["schema"]["enum"] = ids
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(description))
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(spec), "--url", system.gateway]
    command += ["-H", f"Authorization: Bearer {fuzzer.token}", "--checks", CHECKS, "--continue-on-failure"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--seed", "7", "--no-shrink"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    print(done.stdout)
    selected = sum(len(operations) for operations in description["paths"].values())
    assert f"{selected} selected / {selected} total" in done.stdout
    assert f"Tested: {selected}" in done.stdout
