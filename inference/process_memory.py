"""How the process gets memory from the system and gives it back.

A window of speech makes Whisper's encoder ask for some 300 MB in blocks of up to 70 MB. The GNU C library by default
maps each such block anew and unmaps it afterwards, so that the system clears every page of it, window after window: a
fifth to a third of the encoder's processor time.
"""

from __future__ import annotations

import ctypes

# Parameters of mallopt, <malloc.h>.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
KEPT_BYTES = 512 * 1024 * 1024


def keep_freed_blocks() -> bool:
    """Keeps up to KEPT_BYTES of freed memory for what is asked for next, instead of returning large blocks at once.

    For the whole process, before it starts threads: a block of more than 64 MB fits into no other arena than the first.
    Does nothing, and returns False, where the C library is another than GNU's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all([mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, KEPT_BYTES), mallopt(M_ARENA_MAX, 1)])
