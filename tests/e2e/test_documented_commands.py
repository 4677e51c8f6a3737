"""The commands and programs in README and docs do what they say, on a running system.

Commands of a document are run in its order, in one shell, as a reader would: what one sets the next one has. Which are
not run, and why, is in ``tests/docs/code_blocks.py``.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

import meetra_client
from tests.docs.code_blocks import SHELL, blocks, commands, not_run_as, without_comments
from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System
from tests.e2e.warm_command_line import CALLER
from tests.recordings import ROOT, SAMPLE, excerpt, sample_pcm, wav

SECONDS = 8
RATE_HZ = 16_000
OWNER = "owner@acme.example"
# What a meeting that is not ready answers is asked again, as the documents say. Other errors end the command.
CURL = """#!{python}
import subprocess, sys, time
from pathlib import Path
headers = Path({headers!r})
while True:
    command = ["curl", "--fail-with-body", "--max-time", "{timeout}", "-D", str(headers), *sys.argv[1:]]
    ended = subprocess.run(command, env={{"PATH": {path!r}}})
    if ended.returncode != 22 or " 409" not in headers.read_text().split("\\n")[0]:
        sys.exit(ended.returncode)
    time.sleep(0.5)
"""


def _scripts() -> dict[str, str]:
    """Return the commands to run by document; a command without variables is run in the first that has it."""
    scripts: dict[str, list[str]] = {}
    seen: set[str] = set()
    for block in blocks():
        if block.language in SHELL and not block.run_by and not block.illustrates:
            for command in commands(block.text):
                bare = without_comments(command).strip()
                if not not_run_as(command) and bare not in seen:
                    scripts.setdefault(block.document, []).append(command)
                    seen |= {bare} if "$" not in bare else set()
    return {document: "\n".join(lines) for document, lines in scripts.items()}


SCRIPTS = _scripts()


@pytest.fixture(scope="module")
def reader(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a reader who owns an organization, in a folder with the files that documents name."""
    folder = tmp_path_factory.mktemp("reader")
    meetra, curl = folder / ".venv" / "bin" / "meetra", folder / "bin" / "curl"
    commands_at = str(folder / "commands")
    texts = {
        meetra: CALLER.format(python=sys.executable, socket=commands_at),
        curl: CURL.format(
            python=sys.executable, headers=str(folder / "headers"), path=os.environ["PATH"], timeout=READY_TIMEOUT_S
        ),
    }
    for program, text in texts.items():
        program.parent.mkdir(parents=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    (folder / "sample").mkdir()
    (folder / "Makefile").symlink_to(ROOT / "Makefile")
    (folder / "sample" / "meeting.flac").write_bytes(excerpt(SECONDS, mark="of the documents"))
    (folder / "call.wav").write_bytes(wav(sample_pcm()[: SECONDS * RATE_HZ], mark="a call"))
    (folder / "meeting.wav").write_bytes(wav(sample_pcm()[: SECONDS * RATE_HZ], mark="a meeting"))
    owner = system.login(OWNER, password := system.add_user(OWNER, "--organization", "Acme"))
    demo = system.login()
    before = {one["file_hash"] for one in _meetings(demo)}
    path = os.pathsep.join([str(curl.parent), str(meetra.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    warm = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.warm_command_line", commands_at],
        cwd=ROOT,
        env={**os.environ, "MEETRA_DATA": str(system.data)},
    )
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not Path(commands_at).exists():
        assert warm.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield {
        "PATH": path,
        "HOME": str(folder),
        "MEETRA_DATA": str(system.data),
        "MEETRA_URL": system.gateway,
        "MEETRA_EMAIL": OWNER,
        "MEETRA_PASSWORD": password,
        "MEETRA_TOKEN": owner.token,
        "HASH": owner.analysed(excerpt(SECONDS, mark="of Acme")),
    }
    warm.kill()
    warm.wait()
    for one in _meetings(demo):
        if one["file_hash"] not in before:
            demo.http.delete("/single-feature-api/meeting", params={"file-hash": one["file_hash"]})


def _meetings(rest: Rest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rest.http.get("/single-feature-api/meetings?page_size=1000").json()["meetings"]
    return found


@pytest.mark.parametrize("document", SCRIPTS)
def test_commands_do_what_the_document_says(reader: dict[str, str], document: str) -> None:
    script = f"set -euo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n{SCRIPTS[document]}\n"
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=reader["HOME"],
        env=reader,
        capture_output=True,
        text=True,
        check=False,
        timeout=READY_TIMEOUT_S,
    )
    assert ran.returncode == 0, f"{ran.stderr[-3000:]}\n{ran.stdout[-3000:]}"


def program(document: str, containing: str) -> str:
    """Return the one program of a document with this text."""
    (found,) = [b.text for b in blocks() if b.document == document and b.language == "python" and containing in b.text]
    return found


def test_the_program_of_the_quick_start_prints_the_quality(reader: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program("docs/quick-start.md", "client.upload")],
        cwd=reader["HOME"],
        env={**reader, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("gen", "clients/python"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    # The quality of eight seconds: too little to judge is 0.
    assert 0 <= float(ran.stdout) <= 100


@pytest.mark.usefixtures("reader")
def test_the_report_that_is_worked_through_is_that_of_the_sample(rest: Rest) -> None:
    (shown,) = [json.loads(b.text) for b in blocks() if b.document == "docs/northstar.md" and b.language == "json"]
    found = rest.get("/single-feature-api/meeting/quality", file_hash=rest.analysed(SAMPLE.read_bytes())).json()
    # Processors round differently.
    close = partial(pytest.approx, abs=2)
    assert found["quality_score"] == close(shown["quality_score"])
    assert found["quality_score"] == pytest.approx(fmean(one["score"] for one in found["drivers"][:4]), abs=0.01)
    assert found["support"] == {**shown["support"], "speech_seconds": close(shown["support"]["speech_seconds"])}
    assert found["drivers"] == [{**one, "score": close(one["score"])} for one in shown["drivers"]]


def test_the_client_of_openai_is_used_as_the_document_says(reader: dict[str, str], system: System) -> None:
    text = program("docs/openai.md", "from openai import OpenAI")
    assert "http://127.0.0.1:8080" in text
    text = text.replace("http://127.0.0.1:8080", system.gateway).replace("mk_...", reader["MEETRA_TOKEN"])
    ran = subprocess.run(
        [sys.executable, "-P", "-c", text], cwd=reader["HOME"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()


def test_the_reason_of_an_error_is_read_as_the_document_says(
    reader: dict[str, str], system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = (("authorization", f"Bearer {reader['MEETRA_TOKEN']}"),)
    with grpc.insecure_channel(system.gateway.removeprefix("http://")) as channel:
        call = meetings_pb2_grpc.MeetingServiceStub(channel).GetMeetingStatus
        # Sends a token with the call, which the document leaves out.
        stub = SimpleNamespace(GetMeetingStatus=partial(call, metadata=metadata))
        request = meetings_pb2.GetMeetingStatusRequest(file_hash="0" * 64)
        exec(program("docs/errors.md", "ErrorInfo"), {"grpc": grpc, "stub": stub, "request": request})
    assert capsys.readouterr().out == "MEETING_NOT_FOUND {}\n"


async def test_a_live_meeting_is_held_as_the_document_says(
    reader: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in reader.items():
        if name.startswith("MEETRA_"):
            monkeypatch.setenv(name, value)

    async def microphone() -> AsyncIterator[bytes]:
        yield sample_pcm()[: SECONDS * RATE_HZ].tobytes()

    given: dict[str, Any] = {**vars(meetra_client), "asyncio": asyncio, "microphone": microphone}
    body = "\n".join(f"    {line}" for line in program("docs/live.md", "async def show").splitlines())
    exec(f"async def program():\n{body}\n    return finished\n", given)
    finished = await given["program"]()
    assert finished.status == "ready"
    assert ": " in capsys.readouterr().out
