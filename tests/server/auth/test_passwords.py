"""Passwords: argon2id at OWASP's cost, checked a few at a time, and as long for a user who does not exist."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from server.auth import Passwords, hash_password
from server.auth.passwords import MAX_CONCURRENT_CHECKS, NICENESS
from server.errors import TooManyLogins

RIGHT = "a long password, näive 🎈"
HASH = hash_password(RIGHT)


async def test_only_the_password_itself_matches() -> None:
    passwords = Passwords()
    assert await passwords.check(HASH, RIGHT)
    for wrong in ("", RIGHT.upper(), RIGHT + " ", RIGHT[:-1], HASH):
        assert not await passwords.check(HASH, wrong)


async def test_nobody_has_a_password_not_even_the_one_that_is_hashed_for_nobody() -> None:
    assert not await Passwords().check(None, RIGHT)
    assert not await Passwords().check(None, "no user has this password")


@pytest.mark.parametrize("stored", ["", "x", "plain text", "$argon2id$v=19$m=19456,t=2,p=1$broken"])
async def test_a_hash_that_is_none_matches_nothing(stored: str) -> None:
    assert not await Passwords().check(stored, RIGHT)
    assert not await Passwords().check(stored, "")


def test_hashes_are_salted_and_as_costly_as_owasp_asks() -> None:
    assert hash_password(RIGHT) != HASH
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_more_checks_than_turns_wait_and_each_gets_its_own_answer() -> None:
    passwords = Passwords()
    at_once = most_at_once = 0

    async def tries(caller: int, password: str) -> bool:
        nonlocal at_once, most_at_once
        async with passwords.turn(caller % 3):
            at_once += 1
            most_at_once = max(most_at_once, at_once)
            matches = await passwords.check(HASH, password)
            at_once -= 1
            return matches

    tried = [RIGHT if number % 2 else "wrong" for number in range(3 * MAX_CONCURRENT_CHECKS)]
    found = await asyncio.gather(*(tries(*one) for one in enumerate(tried)))
    assert found == [password == RIGHT for password in tried]
    assert most_at_once == MAX_CONCURRENT_CHECKS


async def test_a_caller_of_whom_too_many_wait_is_refused_at_once_and_the_others_get_their_turn() -> None:
    passwords, let_go = Passwords(max_waiting=3), asyncio.Event()

    async def waits() -> None:
        async with passwords.turn("a caller"):
            await let_go.wait()

    waiting = [asyncio.create_task(waits()) for _ in range(1 + 3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyLogins) as raised:
        await waits()
    assert raised.value.retry_after_s
    # Of two places, a caller holds one.
    async with passwords.turn("another"):
        pass
    # One that gives up makes room.
    waiting[-1].cancel()
    await asyncio.wait([waiting[-1]])
    let_go.set()
    await waits()
    await asyncio.gather(*waiting[:-1])


async def test_the_event_loop_s_threads_and_others_work_are_not_waited_for() -> None:
    passwords, let_go = Passwords(), threading.Event()
    # Whoever writes audio takes every thread of the event loop.
    busy = [asyncio.create_task(asyncio.to_thread(let_go.wait)) for _ in range(64)]
    assert await passwords.check(HASH, RIGHT)
    let_go.set()
    await asyncio.gather(*busy)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_passwords_are_checked_after_everybody_else_s_work() -> None:
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    # Root may be started at any priority.
    assert await Passwords()._run(lambda _: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), "") == max(
        niceness, NICENESS
    )


async def test_a_password_that_is_set_is_the_one_that_matches() -> None:
    passwords = Passwords()
    assert await passwords.check(await passwords.hash("another"), "another")
