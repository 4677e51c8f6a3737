"""Session tokens: what they say, how long they count, and that no other token is one."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from server.auth.session_tokens import PREFIX, SessionMaker, SessionTokens
from server.auth.token_keys import ALGORITHM
from server.errors import Unauthenticated
from tests.server.signing import KEY, tokens

MAKER = SessionMaker(uuid4(), uuid4(), uuid4(), 3, None)
SESSION = uuid4()


def ours(ttl_s: int = 3600) -> SessionTokens:
    return SessionTokens(tokens(ttl_s))


def bare(token: str) -> str:
    """Without its prefix."""
    assert token.startswith(PREFIX)
    return token.removeprefix(PREFIX)


def test_a_token_says_whose_it_is_and_what_it_opens() -> None:
    token, expires_at = ours().issue(MAKER, SESSION, {"watch", "send"}, 60)
    claims = ours().validate(bare(token))
    assert (claims.maker, claims.session_id, claims.scopes) == (MAKER, SESSION, ("send", "watch"))
    assert claims.expires_at == expires_at
    assert abs(expires_at - time.time() - 60) < 30
    by_key = SessionMaker(MAKER.user_id, MAKER.organization_id, None, 0, uuid4())
    assert ours().validate(bare(ours().issue(by_key, SESSION, ["watch"], 60)[0])).maker == by_key


def test_it_lives_no_longer_than_what_it_is_made_with_and_the_tokens_of_users() -> None:
    now = time.time()
    assert ours(100).issue(MAKER, SESSION, ["send"], 3600)[1] <= now + 130
    assert ours().issue(MAKER, SESSION, ["send"], 3600, now + 5)[1] == int(now + 5)
    expired, _ = ours().issue(MAKER, SESSION, ["send"], 3600, now - 1)
    with pytest.raises(Unauthenticated):
        ours().validate(bare(expired))


def test_neither_kind_is_taken_for_the_other() -> None:
    session, users = ours().issue(MAKER, SESSION, ["send"], 60)[0], tokens(60).issue(MAKER.user_id, 0)
    for text in (session, bare(session)):
        with pytest.raises(Unauthenticated):
            tokens(60).validate(text)
    for text in (users, session):
        with pytest.raises(Unauthenticated):
            ours().validate(text)


GOOD: dict[str, Any] = {
    "sub": str(uuid4()),
    "org": str(uuid4()),
    "sid": str(uuid4()),
    "scp": ["send"],
    "jti": str(uuid4()),
    "gen": 0,
    "tok": str(uuid4()),
    "iss": "meetra-session",
    "aud": "meetra-live-session",
}


def signed(**changed: Any) -> str:
    now = int(time.time())
    claims = {**GOOD, "iat": now, "exp": now + 60, **changed}
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, KEY.private, algorithm=ALGORITHM, headers={"kid": KEY.key_id})


def test_claims_that_fit_are_taken() -> None:
    assert ours().validate(signed()).maker.user_id == UUID(GOOD["sub"])


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in GOOD),
        {"scp": []},
        {"scp": "send"},
        {"scp": ["admin"]},
        {"scp": [5]},
        {"scp": [["send"]]},
        {"sid": "x"},
        {"org": 5},
        {"gen": True},
        {"key": "0b1f2d3c-4e5f-4a6b-8c7d-9e0f1a2b3c4d"},
        {"tok": None, "key": "x"},
        {"iss": "meetra"},
        {"aud": "meetra-api"},
        {"exp": 1},
    ],
    ids=str,
)
def test_a_claim_that_does_not_fit_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        ours().validate(signed(**changed))
