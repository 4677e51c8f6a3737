"""What a child process gives up before it reads hostile input: files, network, programs, privileges, resources.

The parent's part is ``server/sandbox.py``. Few imports, so that children start fast; a child imports all that it needs
first, because afterwards it opens nothing but its outputs. ``python -m server.confinement`` prints the walls of this
machine as a JSON object.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from server import landlock, system_calls

# Environment variable with the parent's process id.
PARENT = "MEETRA_PARENT_PID"
# Seconds from SIGXCPU to SIGKILL.
CPU_GRACE_S = 5
# User and group of children where the server is root. Distributions and systemd leave this number alone.
OWN_ID = 61_100
# Processes and threads of OWN_ID, over all decoders. Elsewhere the user's own programs would count.
MAX_PROCESSES = 4096
# To become another user, and for the parent to end such a child and to use its files (capabilities(7)).
CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_KILL, CAP_SETGID, CAP_SETUID = 0, 1, 3, 5, 6, 7
NEEDED_CAPABILITIES = (CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_KILL, CAP_SETGID, CAP_SETUID)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_CAPABILITY_VERSION = 0x20080522
_HIGHEST_CAPABILITY = 63


class Walls(NamedTuple):
    """Which walls stand around this process, apart from the limits on resources, which always do."""

    landlock: int
    """Version of Landlock's interface; 0 without."""
    system_calls: bool
    """Whether system calls are filtered."""
    own_user: bool
    """Whether the process became a user of its own; only a server that is root can let it."""
    missing: tuple[str, ...] = ()
    """The walls that are not there, each with its reason."""

    def __str__(self) -> str:
        up = [f"Landlock ABI {self.landlock}"] if self.landlock else []
        up += ["system call filter"] if self.system_calls else []
        up += [f"own user {OWN_ID}"] if self.own_user else []
        return ", ".join(up or ["resource limits only"])


def confine(
    *,
    memory_bytes: int,
    open_files: int,
    cpu_s: int | None = None,
    file_bytes: int | None = None,
    inputs: Sequence[int] = (),
    outputs: Sequence[str] = (),
) -> Walls:
    """Give up all that decoding does not need, for good. Exits if the parent is gone.

    Afterwards this process can neither open a file except its outputs, nor reach a network, a program, or another
    process, as far as the returned walls stand. Its threads must not have started.

    Args:
        memory_bytes: address space.
        open_files: number of open files.
        cpu_s: processor time, seconds; exceeding it raises SIGXCPU, which the parent can tell from a crash.
        file_bytes: size of each written file.
        inputs: descriptors that stay open besides the standard ones.
        outputs: names of the files in the working directory that may be written, read and removed. They are created,
            empty; no other file can be.
    """
    _close_all_but(inputs)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_NOFILE, open_files)
    _limit(resource.RLIMIT_CORE, 0)
    if cpu_s is not None:
        _limit(resource.RLIMIT_CPU, cpu_s, cpu_s + CPU_GRACE_S)
    if file_bytes is not None:
        _limit(resource.RLIMIT_FSIZE, file_bytes)
    os.umask(0o077)
    _create(outputs)
    if sys.platform != "linux":
        if sys.platform == "darwin":
            _limit(resource.RLIMIT_NPROC, 0)  # counts processes only; on Linux threads as well
        return Walls(0, False, False, (f"Landlock and the system call filter: {sys.platform} has none",))
    return _raise_walls(outputs)


def _raise_walls(outputs: Sequence[str]) -> Walls:
    """Put up what only Linux has. A wall that this kernel lacks or forbids is reported, and the others stand."""
    missing = []
    own_user = False
    if os.geteuid() == 0:
        own_user = _became_own_user(outputs)
        if not own_user:
            missing.append("own user: root may not become another one")
            _drop_capabilities()
    # After the change of user, which resets both.
    _prctl(PR_SET_DUMPABLE, 0)
    die_with_parent()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    version, filtered = 0, False
    try:
        _alone()
        version = landlock.restrict(_kept(outputs))
    except OSError as error:
        missing.append(f"Landlock: {error.strerror}")
    try:
        system_calls.restrict(paths=bool(outputs))
        filtered = True
    except OSError as error:
        missing.append(f"system call filter: {error.strerror}")
    return Walls(version, filtered, own_user, tuple(missing))


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, or leave a stricter one as it is."""
    _, most = resource.getrlimit(kind)
    wanted = soft if hard is None else hard
    hard = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(kind, (min(soft, hard), hard))


def _close_all_but(kept: Sequence[int]) -> None:
    """Close what the parent left open beyond the standard streams, which is nothing if it was ours."""
    with suppress(OSError):
        for found in list(Path("/dev/fd").iterdir()):
            if (descriptor := int(found.name)) > 2 and descriptor not in kept:
                with suppress(OSError):  # the listing's own
                    os.close(descriptor)


def _create(outputs: Sequence[str]) -> None:
    """Create empty files; leftovers of an earlier child, which may be links to anywhere, are removed."""
    for name in outputs:
        Path(name).unlink(missing_ok=True)
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _kept(outputs: Sequence[str]) -> dict[str, int]:
    """Return Landlock's exceptions: paths and rights."""
    rights = landlock.READ_FILE | landlock.WRITE_FILE | landlock.TRUNCATE
    return {".": landlock.REMOVE_FILE, **dict.fromkeys(outputs, rights)} if outputs else {}


def _alone() -> None:
    """Raise OSError if other threads run: Landlock would not restrict them."""
    if (threads := len(list(Path("/proc/self/task").iterdir()))) > 1:
        raise OSError(0, f"{threads - 1} threads were started before")


def _capable(capabilities: Sequence[int]) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
            return all(effective >> capability & 1 for capability in capabilities)
    return False


def _became_own_user(outputs: Sequence[str]) -> bool:
    """Become OWN_ID, who owns the outputs and nothing else; False without the capabilities or such a user."""
    try:
        if not _capable(NEEDED_CAPABILITIES):
            return False
        os.setgroups([])
        os.setregid(OWN_ID, OWN_ID)
        for name in [".", *outputs] if outputs else []:
            os.chown(name, OWN_ID, OWN_ID, follow_symlinks=False)
        os.setreuid(OWN_ID, OWN_ID)
    except OSError:
        return False
    _limit(resource.RLIMIT_NPROC, MAX_PROCESSES)
    return True


def _drop_capabilities() -> None:
    """Keep root's name and nothing of its power: it owns its files, as any user does."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_HIGHEST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends (Linux only). Exits if the parent is gone."""
    if sys.platform != "linux":
        return
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.environ.get(PARENT)
    if parent is not None and os.getppid() != int(parent):  # ended before the request
        os._exit(1)


def main() -> None:
    """Confine this process, and print its walls as a JSON object."""
    print(json.dumps(confine(memory_bytes=1024**3, open_files=64)._asdict()), flush=True)


if __name__ == "__main__":
    main()
