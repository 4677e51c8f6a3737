"""Delays after failed logins: by a clock of the test's own."""

from __future__ import annotations

import pytest

from server.auth import LoginThrottle
from server.auth.throttle import (
    FORGET_S,
    FREE_FAILURES_OF_ACCOUNT,
    FREE_FAILURES_OF_ADDRESS,
    MAX_DELAY_S,
    MAX_TRACKED,
)
from server.errors import TooManyLogins

ADDRESS = "198.51.100.7"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(clock)


def delay(throttle: LoginThrottle, account: str = "a@example.org", address: str | None = None) -> int:
    """Seconds that the next attempt has to wait."""
    try:
        throttle.require(account, address)
    except TooManyLogins as refused:
        return int(refused.facts["retry_after_s"])
    return 0


def test_an_account_waits_longer_with_each_failure_after_a_few_and_never_too_long(
    throttle: LoginThrottle, clock: Clock
) -> None:
    delays = []
    for _ in range(FREE_FAILURES_OF_ACCOUNT + 7):
        throttle.failed("a@example.org", None)
        delays.append(delay(throttle))
        clock.now_s += delays[-1]
        assert delay(throttle) == 0
    assert delays == [0] * (FREE_FAILURES_OF_ACCOUNT - 1) + [2, 4, 8, 16, 32, 60, 60, 60]
    assert delay(throttle, "b@example.org") == 0


def test_a_success_and_a_quiet_quarter_of_an_hour_are_a_new_start(throttle: LoginThrottle, clock: Clock) -> None:
    for _ in range(FREE_FAILURES_OF_ACCOUNT - 1):
        throttle.failed("a@example.org", None)
    throttle.succeeded("a@example.org", None)
    for _ in range(FREE_FAILURES_OF_ACCOUNT - 1):
        throttle.failed("a@example.org", None)
    assert delay(throttle) == 0
    clock.now_s += FORGET_S + 1
    throttle.failed("a@example.org", None)
    assert delay(throttle) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ADDRESS, ADDRESS, True),
        (ADDRESS, "198.51.100.8", False),
        (ADDRESS, "::ffff:198.51.100.7", True),
        ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", True),
        ("2001:db8:1:2::3", "2001:db8:1:3::3", False),
    ],
)
def test_an_address_waits_whoever_it_tries_to_be(throttle: LoginThrottle, one: str, other: str, same: bool) -> None:
    for number in range(FREE_FAILURES_OF_ADDRESS):
        assert delay(throttle, f"{number}@example.org", one) == 0
        throttle.failed(f"{number}@example.org", one)
    # A success of the attacker's own account changes nothing.
    throttle.succeeded("mine@example.org", one)
    assert (delay(throttle, "next@example.org", other) > 0) is same
    assert delay(throttle, "next@example.org", None) == 0


@pytest.mark.parametrize(
    "address", [None, "", "127.0.0.1", "127.8.9.10", "::1", "no address", "'; --", "::ffff:127.0.0.1"]
)
def test_an_address_behind_which_anybody_may_be_shuts_nobody_out(throttle: LoginThrottle, address: str | None) -> None:
    for number in range(3 * FREE_FAILURES_OF_ADDRESS):
        throttle.failed(f"{number}@example.org", address)
    assert delay(throttle, "next@example.org", address) == 0


def test_who_has_logged_in_from_an_address_is_not_shut_out_by_strangers(throttle: LoginThrottle) -> None:
    throttle.succeeded("a@example.org", ADDRESS)
    for _ in range(FREE_FAILURES_OF_ACCOUNT):
        throttle.failed("a@example.org", "203.0.113.1")
    assert delay(throttle, address="203.0.113.1") > 0
    assert delay(throttle, address="203.0.113.2") > 0
    assert delay(throttle, address=ADDRESS) == 0
    # But it has no more attempts than others.
    for _ in range(FREE_FAILURES_OF_ACCOUNT):
        throttle.failed("a@example.org", ADDRESS)
    assert delay(throttle, address=ADDRESS) > 0


def test_who_has_logged_in_from_an_address_shares_no_turn_with_its_strangers(throttle: LoginThrottle) -> None:
    strangers = {throttle.caller(f"{number}@example.org", ADDRESS) for number in range(10)}
    assert len(strangers) == 1
    assert throttle.caller("a@example.org", ADDRESS) in strangers
    assert throttle.caller("a@example.org", "203.0.113.1") not in strangers
    throttle.succeeded("a@example.org", ADDRESS)
    assert throttle.caller("a@example.org", ADDRESS) not in strangers
    assert throttle.caller("a@example.org", "203.0.113.1") == throttle.caller("b@example.org", "203.0.113.1")


def test_what_is_kept_is_bounded_and_a_failing_account_is_kept(throttle: LoginThrottle) -> None:
    for number in range(FREE_FAILURES_OF_ACCOUNT + MAX_TRACKED - 1):
        if number < FREE_FAILURES_OF_ACCOUNT:
            throttle.failed("a@example.org", None)
        else:
            throttle.failed(f"{number}@example.org", f"198.51.{number % 250}.{number // 250}")
            throttle.succeeded(f"{number}@example.com", f"203.0.{number % 250}.{number // 250}")
    assert 0 < delay(throttle) <= MAX_DELAY_S
    held = (throttle._accounts._failures, throttle._addresses._failures, throttle._proven)
    assert all(len(kept) <= MAX_TRACKED for kept in held)
