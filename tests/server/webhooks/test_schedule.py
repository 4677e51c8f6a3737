"""When a failed delivery is tried again: soon, then seldom, within a day."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.webhooks.schedule import JITTER, LONGEST_ASKED_S, LONGEST_S, LONGEST_SILENCE_S, retry_delay_s, silence_s

DAY_S = 24 * 3600


def test_delays_double_up_to_two_hours_and_fill_a_day() -> None:
    after_s, attempts = 0.0, 0
    while after_s < DAY_S:
        attempts += 1
        delay_s = retry_delay_s(attempts, 5.0)
        expected_s = min(5.0 * 2 ** (attempts - 1), 7200)
        assert (1 - JITTER) * expected_s <= delay_s <= (1 + JITTER) * expected_s
        after_s += delay_s
    # Of the log of a delivery, 40 attempts are kept.
    assert 15 < attempts < 40


@given(st.integers(0, 10**6), st.floats(0.001, 600), st.floats(0, 1e12))
def test_whatever_the_receiver_asks_for_is_bounded(attempt: int, first_s: float, asked_s: float) -> None:
    assert 0 < retry_delay_s(attempt, first_s, asked_s) <= LONGEST_S * (1 + JITTER)
    assert retry_delay_s(attempt, first_s, asked_s) >= min(asked_s, LONGEST_ASKED_S)
    assert 0 < silence_s(attempt, first_s) <= LONGEST_SILENCE_S * (1 + JITTER)
    assert min(asked_s, LONGEST_ASKED_S) <= silence_s(attempt, first_s, asked_s) <= LONGEST_ASKED_S
