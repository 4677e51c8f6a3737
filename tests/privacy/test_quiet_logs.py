"""What reaches a log: types and places of exceptions, and not their texts."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime

import asyncpg
import pytest

from privacy.quiet_logs import describe
from tests.recordings import ROOT

MARKER = "quincunx"
RAISING = {
    "an exception with its cause": (
        "def parse(text):\n"
        "    raise ValueError(f'cannot parse {text}')\n"
        "try:\n"
        "    try:\n"
        "        parse(MARKER)\n"
        "    except ValueError as error:\n"
        "        raise KeyError(MARKER) from error\n"
        "except KeyError:\n"
        "    log.exception('meeting %s failed', 7)\n"
    ),
    "a group": (
        "try:\n"
        "    raise ExceptionGroup(MARKER, [ValueError(MARKER), TypeError(MARKER)])\n"
        "except ExceptionGroup:\n"
        "    log.exception('it failed')\n"
    ),
    "an uncaught one": "raise RuntimeError(MARKER)\n",
    "an uncaught one of a thread": (
        "import threading\n"
        "def work():\n"
        "    raise RuntimeError(MARKER)\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "thread.join()\n"
    ),
    "that of a task that nobody awaits": (
        "import asyncio, gc, uvloop\n"
        "async def work():\n"
        "    raise RuntimeError(MARKER)\n"
        "async def main():\n"
        "    task = asyncio.create_task(work())\n"
        "    await asyncio.sleep(0.01)\n"
        "    del task\n"
        "    gc.collect()\n"
        "uvloop.run(main())\n"
    ),
    "that of a servicer": (
        "import asyncio, uvloop\n"
        "from grpc import aio\n"
        "from grpc_health.v1 import health_pb2, health_pb2_grpc\n"
        "class Broken(health_pb2_grpc.HealthServicer):\n"
        "    async def Check(self, request, context):\n"
        "        raise RuntimeError(MARKER)\n"
        "async def main():\n"
        "    server = aio.server()\n"
        "    health_pb2_grpc.add_HealthServicer_to_server(Broken(), server)\n"
        "    port = server.add_insecure_port('127.0.0.1:0')\n"
        "    await server.start()\n"
        "    async with aio.insecure_channel(f'127.0.0.1:{port}') as channel:\n"
        "        try:\n"
        "            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=MARKER))\n"
        "        except aio.AioRpcError:\n"
        "            pass\n"
        "    await server.stop(0)\n"
        "uvloop.run(main())\n"
    ),
}


def logged(code: str, level: str = "INFO", more: str = "") -> str:
    """What a process with our logs writes to standard error; ``more``: further arguments of ``log_quietly``."""
    start = (
        "import logging, sys\n"
        "from privacy import log_quietly\n"
        f"MARKER = sys.argv[1]\nlog_quietly({level!r}{more})\nlog = logging.getLogger('ours')\n"
    )
    # From a file: the lines of a stack trace are those of the code.
    done = subprocess.run(
        [sys.executable, "-c", start + code, MARKER], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stderr


@pytest.mark.children
@pytest.mark.parametrize("kind", RAISING)
def test_exceptions_are_logged_by_type_and_place(kind: str) -> None:
    said = logged(RAISING[kind])
    assert MARKER not in said
    assert "Error" in said
    assert 'File "<string>", line ' in said


@pytest.mark.children
@pytest.mark.parametrize("kind", RAISING)
def test_lines_of_json_are_as_quiet_and_whole(kind: str) -> None:
    said = logged(RAISING[kind], more=", process='api', as_json=True")
    assert MARKER not in said
    # gRPC's core may write a line of its own when a process ends.
    lines = [json.loads(text) for text in said.splitlines() if text.startswith("{")]
    line = next(one for one in lines if "exception" in one)
    assert (line["process"], line["level"] in ("ERROR", "CRITICAL")) == ("api", True)
    assert 'File "<string>", line ' in line["exception"]
    assert datetime.fromisoformat(line["time"]).tzinfo is not None


@pytest.mark.children
def test_a_line_of_json_says_what_it_is_about_and_holds_no_other() -> None:
    said = logged(
        "from privacy import log_context\n"
        "with log_context(meeting='m', organization='o'):\n"
        "    log.warning('%s', 'one\\n2026-01-01 ERROR root: forged\\r\\x1b[2J\\u2028\\ud800 é')\n"
        "log.info('nobody')\n",
        more=", process='worker', as_json=True",
    )
    assert said.isascii()
    first, second = map(json.loads, said.splitlines())
    assert (first["meeting"], first["organization"], first["logger"]) == ("m", "o", "ours")
    assert first["message"] == "one\n2026-01-01 ERROR root: forged\r\x1b[2J\u2028\ud800 é"
    assert second.keys() == {"time", "level", "logger", "process", "message"}


@pytest.mark.children
def test_at_debug_the_message_is_there() -> None:
    assert f"cannot parse {MARKER}" in logged(RAISING["an exception with its cause"], "DEBUG")


@pytest.mark.children
def test_a_text_cannot_make_a_line_of_its_own_or_act_on_a_terminal() -> None:
    said = logged("log.info('%s', 'one\\n2026-01-01 ERROR root: forged\\r\\x1b[2J\\u2028\\ud800 é')\n")
    assert said.splitlines() == [said.strip("\n")]
    assert "one\\n2026-01-01 ERROR root: forged\\r\\x1b[2J\\u2028\\ud800 é" in said


def test_errors_of_system_and_database_keep_their_codes() -> None:
    assert describe(ValueError(MARKER)) == "ValueError"
    assert describe(FileNotFoundError(2, "No such file or directory", MARKER)) == (
        "FileNotFoundError: No such file or directory"
    )
    duplicate = asyncpg.UniqueViolationError.new(
        {
            "S": "ERROR",
            "C": "23505",
            "M": f"duplicate key {MARKER}",
            "D": f"Key (email)=({MARKER}) already exists.",
            "t": "users",
            "n": "users_email_key",
        }
    )
    assert MARKER in str(duplicate)
    assert describe(duplicate) == "asyncpg.exceptions.UniqueViolationError: 23505 users users_email_key"
