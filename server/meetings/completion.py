"""Work that a caller who goes away does not stop halfway."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` and return its result; if cancelled, wait for its end first.

    A client may disconnect at any moment; work on its recording must not stop halfway or lose its file.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            # Retrieve the exception, since nobody is left to receive it.
            task.exception()
        raise
