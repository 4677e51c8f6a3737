"""Who calls is known within a call, and nowhere else."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from uuid import uuid4

import pytest

from server.auth import Caller, current_caller, set_caller
from server.auth.tokens import Claims
from server.errors import Unauthenticated


def test_outside_of_a_call_nobody_calls() -> None:
    with pytest.raises(Unauthenticated):
        copy_context().run(current_caller)


async def test_calls_beside_one_another_each_have_their_own_caller() -> None:
    all_here = asyncio.Barrier(8)

    async def call() -> bool:
        caller = Caller(uuid4(), uuid4(), Claims(uuid4(), uuid4(), 0, 0.0, "a key"), "member")
        set_caller(caller)
        # Every other call has set its caller before any asks.
        await all_here.wait()
        asked_in_a_task = await asyncio.create_task(asks())
        return current_caller() is caller and asked_in_a_task is caller

    async def asks() -> Caller:
        return current_caller()

    assert all(await asyncio.gather(*(asyncio.create_task(call()) for _ in range(8))))
