"""Enough threads for what waits for the disk, whoever it belongs to."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

# Several organizations at their limit of uploads at once: the usual handful of threads would be held by one of them,
# and everybody's files would wait for its.
FILE_THREADS = 64


def use_file_threads() -> None:
    """Have ``asyncio.to_thread`` use so many threads in this event loop; they start when they are needed."""
    threads = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="files")
    asyncio.get_running_loop().set_default_executor(threads)
