"""A filter of system calls for processes that decode hostile input (Linux on x86-64 and arm64; seccomp(2)).

A list of what decoding needs; everything else fails with EPERM: sockets, programs, processes, other processes' memory,
mounts, keys, BPF, io_uring, and whatever kernels add. By ``ctypes``, since the packages that wrap seccomp need
libseccomp of the system.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

# Numbers of system calls on x86-64 and on arm64; None where an architecture lacks one.
_BOTH = tuple[int | None, int | None]
_MEMORY: dict[str, _BOTH] = {
    "brk": (12, 214),
    "madvise": (28, 233),
    "mincore": (27, 232),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
}
_OPEN_FILES: dict[str, _BOTH] = {
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup3": (292, 24),
    "fallocate": (285, 47),
    "fdatasync": (75, 83),
    "fstat": (5, 80),
    "fsync": (74, 82),
    "ftruncate": (77, 46),
    "getcwd": (79, 17),
    "lseek": (8, 62),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "poll": (7, None),
    "ppoll": (271, 73),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "pwrite64": (18, 68),
    "pwritev": (296, 70),
    "read": (0, 63),
    "readv": (19, 65),
    "stat": (4, None),
    "statx": (332, 291),
    "write": (1, 64),
    "writev": (20, 66),
}
_THREADS: dict[str, _BOTH] = {
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "get_robust_list": (274, 100),
    "membarrier": (324, 283),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_yield": (24, 124),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
}
_OWN_STATE: dict[str, _BOTH] = {
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "getcpu": (309, 168),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "nanosleep": (35, 101),
    "pause": (34, None),
    "rt_sigaction": (13, 134),
    "rt_sigpending": (127, 136),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigsuspend": (130, 133),
    "setrlimit": (160, 164),
    "sigaltstack": (131, 132),
    "sysinfo": (99, 179),
    "time": (201, None),
    "times": (100, 153),
    "uname": (63, 160),
}
_PATHS: dict[str, _BOTH] = {
    "open": (2, None),
    "openat": (257, 56),
    "unlink": (87, None),
    "unlinkat": (263, 35),
}
# System calls that are allowed with some values of one argument only.
_FCNTL: _BOTH = (72, 25)
_IOCTL: _BOTH = (16, 29)
_PRCTL: _BOTH = (157, 167)
_PRLIMIT: _BOTH = (302, 261)
_KILL: _BOTH = (62, 129)
_TGKILL: _BOTH = (234, 131)
_CLONE: _BOTH = (56, 220)
_CLONE3 = 435
# The newest system call known here (file_setattr). The C library tries newer ones, and uses older ones if they do not
# exist; EPERM would be final.
_NEWEST = 469
_FILE_COMMANDS = (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL, 1030)  # 1030: F_DUPFD_CLOEXEC
_DEVICE_COMMANDS = (0x5401, 0x5451)  # TCGETS (whether it is a terminal), FIOCLEX
_PROCESS_COMMANDS = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA (names memory)
_CLONE_THREAD = 0x10000

# Classic BPF: operation, jump if true, jump if false, operand.
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
# Offsets into struct seccomp_data: the number, the architecture, the low half of the first argument.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _ARGUMENT_BYTES = 0, 4, 16, 8
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
# System calls of x86-64 with this bit are those of its x32 variant.
_X32 = 0x40000000
_SECCOMP = (317, 277)
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


class _Machine(NamedTuple):
    audit: int
    """AUDIT_ARCH_*, by which the kernel names an architecture."""
    column: int
    """Index into the pairs of numbers."""


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def restrict(*, paths: bool) -> None:
    """Deny all threads of this process all system calls that decoding does not need, for good. Needs ``no_new_privs``.

    Args:
        paths: allow files to be opened and removed by name.

    Raises:
        OSError: the kernel has no seccomp, does not let us use it, or runs on another architecture.
    """
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or struct.calcsize("P") != 8:
        raise OSError(errno.ENOTSUP, f"no list of system calls for {os.uname().machine}")
    instructions = b"".join(_filter(machine, paths=paths))
    program = _Program(len(instructions) // _INSTRUCTION.size, instructions)
    number = _SECCOMP[machine.column]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code) if code else "another thread has a filter of its own")


def _filter(machine: _Machine, *, paths: bool) -> Iterator[bytes]:
    """Yield the program's instructions, in order."""
    yield _INSTRUCTION.pack(_LOAD, 0, 0, _ARCHITECTURE)
    yield _INSTRUCTION.pack(_EQUAL, 1, 0, machine.audit)
    yield _end(_KILL_PROCESS)
    yield _INSTRUCTION.pack(_LOAD, 0, 0, _NUMBER)
    if machine.column == 0:
        yield _INSTRUCTION.pack(_ANY_BIT, 0, 1, _X32)
        yield _end(_KILL_PROCESS)
    yield _INSTRUCTION.pack(_GREATER, 0, 1, _NEWEST)
    yield _end(_ERRNO | errno.ENOSYS)
    yield _INSTRUCTION.pack(_EQUAL, 0, 1, _CLONE3)  # its flags are out of our sight: clone() follows
    yield _end(_ERRNO | errno.ENOSYS)
    for group in (_MEMORY, _OPEN_FILES, _THREADS, _OWN_STATE, *([_PATHS] if paths else [])):
        for numbers in group.values():
            if (number := numbers[machine.column]) is not None:
                yield _INSTRUCTION.pack(_EQUAL, 0, 1, number)
                yield _end(_ALLOW)
    for numbers, argument, values in (
        (_FCNTL, 1, _FILE_COMMANDS),
        (_IOCTL, 1, _DEVICE_COMMANDS),
        (_PRCTL, 0, _PROCESS_COMMANDS),
        (_PRLIMIT, 0, (0,)),
        (_KILL, 0, (os.getpid(),)),
        (_TGKILL, 0, (os.getpid(),)),
    ):
        yield from _only_with(numbers[machine.column], argument, [_equal(value) for value in values])
    yield from _only_with(_CLONE[machine.column], 0, [_INSTRUCTION.pack(_ANY_BIT, 0, 1, _CLONE_THREAD)])
    yield _end(_ERRNO | errno.EPERM)


def _only_with(number: int | None, argument: int, tests: list[bytes]) -> Iterator[bytes]:
    """Yield instructions that allow a system call if one of the tests of an argument succeeds, and deny it if none."""
    assert number is not None
    # Skipped for other system calls: the load, each test with its end, and the last end.
    yield _INSTRUCTION.pack(_EQUAL, 0, 2 * len(tests) + 2, number)
    yield _INSTRUCTION.pack(_LOAD, 0, 0, _FIRST_ARGUMENT + argument * _ARGUMENT_BYTES)
    for test in tests:
        yield test
        yield _end(_ALLOW)
    yield _end(_ERRNO | errno.EPERM)


def _equal(value: int) -> bytes:
    return _INSTRUCTION.pack(_EQUAL, 0, 1, value)


def _end(action: int) -> bytes:
    return _INSTRUCTION.pack(_RETURN, 0, 0, action)
