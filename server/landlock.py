"""Landlock: what of the file system and the network a process keeps (Linux 5.13 and later; landlock(7)).

By ``ctypes``, since no well-kept package wraps it. Everything that the kernel can deny is denied; the caller names the
exceptions. Landlock restricts the calling thread and the ones it starts later: call ``restrict`` while it is the only
one.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping

# System calls of all architectures.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # flag of _CREATE_RULESET
_PATH_BENEATH = 1  # type of a rule

# Rights on files and folders (LANDLOCK_ACCESS_FS_*).
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
REMOVE_FILE = 1 << 5
TRUNCATE = 1 << 14
# All rights that each version of the interface knows; those of files, then of TCP (bind, connect).
_RIGHTS_OF_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _TCP_SINCE = 0b11, 4
# Abstract Unix sockets of others, and signals to others.
_SCOPES, _SCOPES_SINCE = 0b11, 6


# struct landlock_ruleset_attr: rights on files, on the network, scopes.
_RULESET = struct.Struct("=QQQ")
# struct landlock_path_beneath_attr: rights, descriptor.
_RULE = struct.Struct("=Qi")
_O_PATH = 0x200000  # Linux's own, and so unknown to type checkers elsewhere
_libc = ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    """Make a system call. Raises OSError."""
    result: int = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def restrict(kept: Mapping[str, int]) -> int:
    """Deny this process and its children everything that Landlock can deny, for good; return the interface's version.

    Open files stay as they are. Needs ``no_new_privs``.

    Args:
        kept: paths of files and folders to the rights that stay: on the file, or beneath the folder.

    Raises:
        OSError: the kernel has no Landlock, or does not let us use it.
    """
    version = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    files = _RIGHTS_OF_FILES[max(since for since in _RIGHTS_OF_FILES if since <= version)]
    network = _TCP if version >= _TCP_SINCE else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    # An older kernel accepts a longer structure whose unknown fields are 0.
    ruleset = _RULESET.pack(files, network, scopes)
    descriptor = _call(_CREATE_RULESET, ruleset, ctypes.c_size_t(len(ruleset)), ctypes.c_uint32(0))
    try:
        for path, rights in kept.items():
            target = os.open(path, _O_PATH | os.O_NOFOLLOW)
            try:
                rule = _RULE.pack(rights & files, target)
                _call(_ADD_RULE, descriptor, _PATH_BENEATH, rule, ctypes.c_uint32(0))
            finally:
                os.close(target)
        _call(_RESTRICT_SELF, descriptor, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)
    return version
