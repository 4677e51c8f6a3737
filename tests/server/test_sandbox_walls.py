"""Code that takes a decoder over gets nowhere: it runs in the real programs, in the place of FFmpeg."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server import sandbox
from server.children import HEAD, MESSAGE
from server.confinement import Walls
from tests.recordings import ROOT, wav
from tests.server.hostile_code import ATTEMPTS, Takeover
from tests.server.media.media_files import tone

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="these walls are Linux's; elsewhere there are limits only"
)
FILES, CALLS, LIMITS = "Landlock", "system call filter", "limits"
# What stops each attempt; a test is skipped where this machine lacks it.
WALL = {
    "read the key of the tokens": FILES,
    "read it in a thread": FILES,
    "read the parent's environment": FILES,
    "read its environment": FILES,
    "read the accounts of the machine": FILES,
    "read another recording": FILES,
    "list the recordings": FILES,
    "write beside its folder": FILES,
    "change another recording": FILES,
    "remove another recording": FILES,
    "write a file of its own": FILES,
    "write into shared memory": FILES,
    "raise its limits": LIMITS,
    "write more than a recording": LIMITS,
    "take more memory": LIMITS,
}
DENIED = {"EPERM", "EACCES"}
BEYOND_LIMIT = {"EFBIG", "ENOMEM", "EPERM", "ValueError: not allowed to raise maximum limit"}
CHILDREN = ("media", "opus")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, str]]]:
    """How each attempt ended, in each kind of decoder."""
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "key").write_text("a secret")
    (folder / "key").chmod(0o600)
    (folder / "neighbour").write_bytes(b"of somebody else")
    abstract = f"meetra-test-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "socket"))
        unix.listen()
        with socket.socket(socket.AF_UNIX) as unnamed:
            unnamed.bind("\0" + abstract)
            unnamed.listen()
            targets = {name: str(folder / name) for name in ("key", "neighbour", "socket")}
            targets |= {"folder": str(folder), "port": tcp.getsockname()[1], "abstract": abstract}
            with pytest.MonkeyPatch.context() as patched:
                patched.setenv("PYTHONPATH", Takeover(folder / "taken", targets).python_path)
                found = asyncio.run(_attempted(folder))
    yield found
    assert (folder / "neighbour").read_bytes() == b"of somebody else"


async def _attempted(folder: Path) -> dict[str, dict[str, str]]:
    (folder / "original").write_bytes(wav(tone(440, 1)))
    (folder / "decoding").mkdir()
    arguments = (str(folder / "original"), str(folder / "decoding"))
    found = {}
    async with sandbox.run("server.children.decode_media", *arguments) as child:
        found["media"] = json.loads(await child.stdout.readline())
    child = await sandbox.start("server.children.decode_opus", with_stdin=True)
    try:
        child.write(MESSAGE.pack(HEAD, 4) + b"head")
        found["opus"] = json.loads(await child.stdout.readline())
    finally:
        await child.end()
    return found


@pytest.fixture(scope="module")
def walls() -> Walls:
    return asyncio.run(_walls())


async def _walls() -> Walls:
    async with sandbox.run("server.confinement") as child:
        return Walls(**json.loads(await child.stdout.readline()))


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("attempt", [name for name in ATTEMPTS if name != "start a thread"])
def test_hostile_code_cannot(attempt: str, child: str, outcomes: dict[str, dict[str, str]], walls: Walls) -> None:
    wall = WALL.get(attempt, CALLS)
    if (wall == FILES and not walls.landlock) or (wall == CALLS and not walls.system_calls):
        pytest.skip(f"this machine lacks a wall: {'; '.join(walls.missing)}")
    assert outcomes[child][attempt] in (BEYOND_LIMIT if wall == LIMITS else DENIED)


@pytest.mark.parametrize("child", CHILDREN)
def test_decoders_may_use_threads(child: str, outcomes: dict[str, dict[str, str]]) -> None:
    assert outcomes[child]["start a thread"] == "done"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can let a child be another user")
def test_a_server_that_is_root_gives_its_decoders_a_user_of_their_own(walls: Walls) -> None:
    assert walls.own_user or "own user: root may not become another one" in walls.missing


async def test_the_log_says_which_walls_stand(walls: Walls, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        await sandbox.log_walls()
    assert f"decoder sandbox: {walls}" in caplog.messages
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == len(walls.missing)


@pytest.mark.parametrize(
    ("lacking", "wall"),
    [
        (["landlock"], "Landlock: Function not implemented"),
        (["seccomp"], "system call filter: Operation not permitted"),
        (["landlock", "seccomp", "users"], "Landlock: Function not implemented"),
    ],
    ids=str,
)
def test_a_kernel_with_fewer_walls_decodes_as_well(tmp_path: Path, lacking: list[str], wall: str) -> None:
    source = tmp_path / "original"
    source.write_bytes(wav(tone(440, 1)))

    def said_by(module: str, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.server.weaker_kernel", *lacking, "--", "-m", module, *arguments]
        environment = {**os.environ, **sandbox.ONE_THREAD}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True)
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said

    walls = said_by("server.confinement")
    assert wall in walls["missing"]
    assert bool(walls["landlock"]) == ("landlock" not in lacking)
    assert walls["system_calls"] == ("seccomp" not in lacking)
    if "users" in lacking:
        assert not walls["own_user"]
    assert said_by("server.children.decode_media", "--probe", str(source)) == {"audio": True, "duration_s": 1.0}
    assert said_by("server.children.decode_media", str(source), str(tmp_path))["samples"] == 16_000


@pytest.mark.parametrize("what", ["symbolic link", "hard link", "folder", "nothing"])
def test_what_a_decoder_left_instead_of_its_file_is_not_taken_for_it(tmp_path: Path, what: str) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "1.raw"
    ours.write_bytes(b"a secret")
    if what == "symbolic link":
        theirs.symlink_to(ours)
    elif what == "hard link":
        theirs.hardlink_to(ours)
    elif what == "folder":
        theirs.mkdir()
    with pytest.raises(OSError, match=r"1\.raw"):
        sandbox.take_back(theirs)
