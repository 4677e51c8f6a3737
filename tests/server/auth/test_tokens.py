"""Tokens: what was issued is read again, and whatever else comes is refused in the same words."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.auth import Tokens
from server.auth.tokens import ALGORITHM, AUDIENCE, ISSUER
from server.errors import Unauthenticated

SECRET = "s" * 64
USER, TOKEN = uuid4(), uuid4()


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a good token, but for what is changed; None leaves a claim out."""
    now = int(time.time())
    good = {"sub": str(USER), "jti": str(TOKEN), "gen": 0, "iat": now, "exp": now + 60, "iss": ISSUER, "aud": AUDIENCE}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(secret: str = SECRET, algorithm: str = ALGORITHM, **changed: Any) -> str:
    return jwt.encode(claims(**changed), secret, algorithm=algorithm)


@given(st.uuids(), st.integers(0, 2**31 - 1))
def test_what_was_issued_is_read_again(user_id: UUID, generation: int) -> None:
    before = int(time.time())
    tokens = Tokens(SECRET, 60)
    read, other = tokens.validate(tokens.issue(user_id, generation)), tokens.validate(tokens.issue(user_id, generation))
    assert (read.user_id, read.generation) == (user_id, generation)
    assert read.token_id != other.token_id
    assert before + 60 <= read.expires_at <= time.time() + 60


def test_the_claims_of_these_tests_are_good_ones() -> None:
    assert Tokens(SECRET, 60).validate(signed()).user_id == USER


@pytest.mark.parametrize("left_out", ["sub", "jti", "gen", "iat", "exp", "iss", "aud"])
def test_no_claim_may_be_missing(left_out: str) -> None:
    changed: dict[str, Any] = {left_out: None}
    with pytest.raises(Unauthenticated):
        Tokens(SECRET, 60).validate(signed(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 1},
        {"iat": int(time.time()) + 3600},
        {"iss": "another"},
        {"aud": "another-api"},
        {"sub": "no uuid"},
        {"jti": "no uuid"},
        {"jti": ["a list"]},
        {"jti": 5},
        {"gen": "0"},
        {"gen": True},
        {"gen": -1},
        {"gen": 2**31},
        {"gen": 0.5},
        {"iat": "yesterday"},
        {"exp": "never"},
    ],
)
def test_a_claim_that_does_not_fit_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(SECRET, 60).validate(signed(**changed))


def test_a_token_is_void_when_its_time_is_over() -> None:
    assert Tokens(SECRET, 1).validate(Tokens(SECRET, 1).issue(USER, 0)).user_id == USER
    with pytest.raises(Unauthenticated):
        Tokens(SECRET, -1).validate(Tokens(SECRET, -1).issue(USER, 0))


def test_only_one_secret_and_one_algorithm_count() -> None:
    for forged in (signed("x" * 64), signed("", "none"), signed(SECRET, "HS512"), signed(SECRET, "HS384")):
        with pytest.raises(Unauthenticated):
            Tokens(SECRET, 60).validate(forged)


def test_no_byte_of_a_token_may_be_changed() -> None:
    token = Tokens(SECRET, 60).issue(USER, 0)
    header, payload, signature = token.split(".")
    other = signed(sub=str(uuid4())).split(".")[1]
    for forged in (f"{header}.{other}.{signature}", f"{header}.{payload}.", f"{header}.{payload}", token + ".x"):
        with pytest.raises(Unauthenticated):
            Tokens(SECRET, 60).validate(forged)


@given(st.text(max_size=200))
def test_no_text_is_anything_but_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(SECRET, 60).validate(text)
