"""Python under a kernel that lacks walls: ``python -m tests.server.weaker_kernel WALL ... -- ARGUMENTS``.

A wall is ``landlock``, ``seccomp`` or ``users``.
A filter of system calls answers as such kernels and container runtimes do.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

INSTRUCTION = struct.Struct("=HBBI")
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
# Numbers on x86-64 and arm64, and the answer: create_ruleset; seccomp; setreuid, setregid and chown by name.
LACKING = {
    "landlock": ([(444, 444)], errno.ENOSYS),
    "seccomp": ([(317, 277)], errno.EPERM),
    "users": ([(113, 145), (114, 143), (260, 54), (94, 54)], errno.EPERM),
}


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def main() -> None:
    at = sys.argv.index("--")
    instructions = [INSTRUCTION.pack(LOAD, 0, 0, 0)]
    for name in sys.argv[1:at]:
        numbers, answer = LACKING[name]
        for pair in numbers:
            instructions.append(INSTRUCTION.pack(EQUAL, 0, 1, pair[platform.machine() == "aarch64"]))
            instructions.append(INSTRUCTION.pack(RETURN, 0, 0, ERRNO | answer))
    instructions.append(INSTRUCTION.pack(RETURN, 0, 0, ALLOW))
    program = Program(len(instructions), b"".join(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    os.execv(sys.executable, [sys.executable, *sys.argv[at + 1 :]])


if __name__ == "__main__":
    main()
