"""Shares of the speaking time, and percentages that sum to 100."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.conversation import Conversation
from server.insights.balance import balance
from server.insights.interaction import exchange_counts
from server.insights.sentiment import sentiment
from server.insights.shares import shares, to_percentages
from server.insights.timeline import build_timeline
from tests.server.insights.talks import moved, talks


@given(talks(), st.integers(0, 10**9))
def test_shares_do_not_depend_on_when_the_talk_begins(talk: Conversation, shift: int) -> None:
    before, after = build_timeline(talk), build_timeline(moved(talk, shift_us=shift))
    assert balance(after) == balance(before)
    assert shares(after) == shares(before)
    assert sentiment(after).mean_polarity == sentiment(before).mean_polarity
    assert exchange_counts(after, after.full_window) == exchange_counts(before, before.full_window)


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=100))
def test_percentages_sum_to_exactly_100(amounts: list[int]) -> None:
    found = to_percentages(amounts, decimals=2)
    assert sum(round(p * 100) for p in found) == (10_000 if sum(amounts) else 0)
    assert all(abs(p - 100 * a / (sum(amounts) or 1)) <= 0.01 + 1e-9 for p, a in zip(found, amounts, strict=True))
