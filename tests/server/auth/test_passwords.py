"""Passwords: argon2id at OWASP's cost, checked a few at a time, and as long for a user who does not exist."""

from __future__ import annotations

import asyncio

import pytest

from server.auth import Passwords, hash_password
from server.auth.passwords import MAX_CONCURRENT_CHECKS

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


async def test_more_checks_than_slots_wait_and_each_gets_its_own_answer() -> None:
    passwords = Passwords()
    tried = [RIGHT if number % 2 else "wrong" for number in range(3 * MAX_CONCURRENT_CHECKS)]
    found = await asyncio.gather(*(passwords.check(HASH, password) for password in tried))
    assert found == [password == RIGHT for password in tried]
