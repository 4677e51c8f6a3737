"""Code that took a decoder over: where the child would parse hostile bytes first, it tries to get out instead.

A ``sitecustomize`` in front of the PYTHONPATH (``Takeover``) puts it in the place of FFmpeg, in the real programs. It
prints a JSON object: each attempt's name to ``done``, or to the name of the error that stopped it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

SITECUSTOMIZE = """
import sys
if "server.children.fork_server" in sys.orig_argv:
    from pathlib import Path
    from tests.server.hostile_code import take_over
    take_over(Path(__file__).with_name("targets.json"))
"""
# Numbers of system calls on x86-64 and arm64.
SYSTEM_CALLS = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "memfd_create": (319, 279),
    "clone": (56, 220),
}
LIBC = ctypes.CDLL(None, use_errno=True)
PARENT = os.getppid()


class Takeover:
    """A folder for the PYTHONPATH of whoever starts decoders, which lets this code take them over."""

    def __init__(self, folder: Path, targets: dict[str, Any]) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
        (folder / "targets.json").write_text(json.dumps(targets))
        root = Path(__file__).parents[2]
        self.python_path = os.pathsep.join(filter(None, [str(folder), str(root), os.environ.get("PYTHONPATH")]))


def take_over(targets: Path) -> None:
    """Run in the place of FFmpeg's first call on hostile bytes."""
    import av

    aims = json.loads(targets.read_text())

    def run(*_: object, **__: object) -> None:
        sys.stdout.write(json.dumps({name: _outcome(attempt, aims) for name, attempt in ATTEMPTS.items()}) + "\n")
        sys.stdout.flush()
        os._exit(0)

    class Codec:
        create = staticmethod(run)

    av.open, av.CodecContext = run, Codec  # type: ignore[misc,assignment]


def _outcome(attempt: Callable[[Any], object], aims: Any) -> str:
    try:
        attempt(aims)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def system_call(name: str, *arguments: object) -> int:
    """Make a system call past every library. Raises OSError."""
    number = SYSTEM_CALLS[name][platform.machine() == "aarch64"]
    result: int = LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def connect(family: int, kind: int, address: Any) -> None:
    with socket.socket(family, kind) as made:
        made.connect(address)


def fork(_: Any) -> None:
    if os.fork() == 0:
        os._exit(0)


def clone(_: Any) -> None:
    if system_call("clone", signal.SIGCHLD, None, None, None, None) == 0:
        os._exit(0)


def read_by_a_thread(aims: Any) -> None:
    """Walls that stand around one thread only are none."""
    found: list[BaseException | None] = []

    def read() -> None:
        try:
            Path(aims["key"]).read_bytes()
            found.append(None)
        except OSError as error:
            found.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    if found[0] is not None:
        raise found[0]


def write_too_much(_: Any) -> None:
    """In a file that it may write: more than the longest recording has."""
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Path("1.raw").open("r+b") as file:
        file.seek(most if most != resource.RLIM_INFINITY else 2**34)
        file.write(b"x")
        file.flush()


def more_memory(_: Any) -> None:
    try:
        mmap.mmap(-1, 2**36).close()
    except ValueError as error:  # how some versions say that the limit is exceeded
        raise OSError(errno.ENOMEM, str(error)) from error


def trace_parent(_: Any) -> None:
    system_call("ptrace", 0x4206, PARENT, None, None)  # PTRACE_SEIZE, which does not stop it


def read_parents_memory(_: Any) -> None:
    buffer = ctypes.create_string_buffer(8)
    ours = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    system_call("process_vm_readv", PARENT, ctypes.byref(ours), 1, ctypes.byref(ours), 1, 0)


def raise_limit(_: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


ATTEMPTS: dict[str, Callable[[Any], object]] = {
    "read the key of the tokens": lambda aims: Path(aims["key"]).read_bytes(),
    "read it in a thread": read_by_a_thread,
    "read the parent's environment": lambda _: Path(f"/proc/{PARENT}/environ").read_bytes(),
    "read the accounts of the machine": lambda _: Path("/etc/passwd").read_bytes(),
    "read another recording": lambda aims: Path(aims["neighbour"]).read_bytes(),
    "list the recordings": lambda aims: list(Path(aims["folder"]).iterdir()),
    "write beside its folder": lambda aims: Path(aims["folder"], "planted").write_bytes(b"x"),
    "change another recording": lambda aims: os.close(os.open(aims["neighbour"], os.O_WRONLY)),
    "remove another recording": lambda aims: Path(aims["neighbour"]).unlink(),
    "write a file of its own": lambda _: Path("planted").write_bytes(b"x"),
    "make a link to a file of ours": lambda aims: Path("planted-link").symlink_to(aims["key"]),
    "make a folder": lambda _: Path("planted-folder").mkdir(),
    "write into shared memory": lambda _: os.close(os.open("/dev/shm/planted-by-a-test", os.O_CREAT | os.O_WRONLY)),
    "make a file in memory": lambda _: os.close(system_call("memfd_create", b"planted", 0)),
    "connect to the database": lambda aims: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", aims["port"])),
    "connect by IPv6": lambda aims: connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", aims["port"])),
    "send a datagram": lambda aims: connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", aims["port"])),
    "connect to a Unix socket": lambda aims: connect(socket.AF_UNIX, socket.SOCK_STREAM, aims["socket"]),
    "connect to an abstract socket": lambda aims: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + aims["abstract"]),
    "start a program": lambda _: os.posix_spawn("/bin/true", ["true"], {}),
    "become a program": lambda _: os.execv("/nonexistent", ["nonexistent"]),
    "fork": fork,
    "fork past the C library": clone,
    "signal the parent": lambda _: os.kill(PARENT, 0),
    "signal the process that starts decoders": lambda _: os.kill(os.getppid(), 0),
    "read its environment": lambda _: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "hold the parent": lambda _: os.close(system_call("pidfd_open", PARENT, 0)),
    "trace the parent": trace_parent,
    "read the parent's memory": read_parents_memory,
    "make namespaces": lambda _: system_call("unshare", 0x10000000),
    "enter a namespace": lambda _: system_call("setns", 0, 0),
    "mount": lambda _: system_call("mount", b"none", b"/nonexistent", b"tmpfs", 0, None),
    "open by handle": lambda _: system_call("open_by_handle_at", -100, ctypes.create_string_buffer(64), 0),
    "load BPF": lambda _: system_call("bpf", 0, ctypes.create_string_buffer(128), 128),
    "count events": lambda _: system_call("perf_event_open", ctypes.create_string_buffer(128), 0, -1, -1, 0),
    "catch page faults": lambda _: os.close(system_call("userfaultfd", 0)),
    "use io_uring": lambda _: os.close(system_call("io_uring_setup", 4, ctypes.create_string_buffer(256))),
    "read the keyring": lambda _: system_call("keyctl", 0, -3, 0),
    "become root": lambda _: os.setuid(0),
    "open its files to all": lambda _: Path().chmod(0o777),
    "raise its limits": raise_limit,
    "write more than a recording": write_too_much,
    "take more memory": more_memory,
    "start a thread": lambda _: threading.Thread(target=len, args=("",)).start(),
}
