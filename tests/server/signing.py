"""A key of tokens for tests, and tokens that it signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server.auth import KeySet, TokenKey, TokenKeys, Tokens

KEY = TokenKey.new(datetime.now(UTC) - timedelta(days=1))
KEYS = TokenKeys(lambda: KeySet((KEY,)))


def tokens(ttl_s: int = 3600) -> Tokens:
    """Issues and validates with the key."""
    return Tokens(KEYS, ttl_s)
