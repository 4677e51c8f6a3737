"""How the process gets memory from the system and returns it.

For a window of speech, Whisper's encoder allocates some 300 MB in blocks of up to 70 MB. By default the GNU C library
maps and unmaps each such block, so that the system clears all its pages, window after window: a fifth to a third of the
encoder's processor time.
"""

from __future__ import annotations

import ctypes

# Parameters of mallopt, <malloc.h>.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
KEPT_BYTES = 512 * 1024 * 1024


def keep_freed_blocks() -> bool:
    """Keep up to KEPT_BYTES of freed memory for reuse, instead of returning large blocks to the system at once.

    For the whole process, before it starts threads: a block of more than 64 MB fits only into the first arena. Does
    nothing and returns False where the C library is not GNU's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all([mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, KEPT_BYTES), mallopt(M_ARENA_MAX, 1)])
