"""Tokens: what was issued is read again, and whatever else comes is refused in the same words."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from server.auth import TokenKey
from server.auth.token_keys import ALGORITHM
from server.auth.tokens import AUDIENCE, ISSUER, MAX_TOKEN
from server.errors import Unauthenticated
from tests.server.signing import KEY, tokens

USER, TOKEN = uuid4(), uuid4()


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a good token, but for what is changed; None leaves a claim out."""
    now = int(time.time())
    good = {"sub": str(USER), "jti": str(TOKEN), "gen": 0, "iat": now, "exp": now + 60, "iss": ISSUER, "aud": AUDIENCE}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(private: Any = KEY.private, key_id: str | None = KEY.key_id, **changed: Any) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(claims(**changed), private, algorithm=ALGORITHM, headers=headers)


@given(st.uuids(), st.integers(0, 2**31 - 1))
def test_what_was_issued_is_read_again(user_id: UUID, generation: int) -> None:
    before = int(time.time())
    ours = tokens(60)
    read, other = ours.validate(ours.issue(user_id, generation)), ours.validate(ours.issue(user_id, generation))
    assert (read.user_id, read.generation) == (user_id, generation)
    assert read.token_id != other.token_id
    assert before + 60 <= read.expires_at <= time.time() + 60


def test_the_claims_of_these_tests_are_good_ones() -> None:
    assert tokens(60).validate(signed()).user_id == USER


@pytest.mark.parametrize("left_out", ["sub", "jti", "gen", "iat", "exp", "iss", "aud"])
def test_no_claim_may_be_missing(left_out: str) -> None:
    changed: dict[str, Any] = {left_out: None}
    with pytest.raises(Unauthenticated):
        tokens(60).validate(signed(**changed))


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
        tokens(60).validate(signed(**changed))


def test_a_token_is_void_when_its_time_is_over() -> None:
    assert tokens(1).validate(tokens(1).issue(USER, 0)).user_id == USER
    with pytest.raises(Unauthenticated):
        tokens(-1).validate(tokens(-1).issue(USER, 0))


PEM = KEY.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RAW = KEY.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
STRANGE_KEY_IDS = {
    "none": None,
    "of another key": TokenKey.new(datetime.now(UTC)).key_id,
    "empty": "",
    "a path": "../../../../dev/null",
    "an absolute path": "/etc/passwd",
    "of a file": f"{KEY.key_id}.pem",
    "with a NUL": f"{KEY.key_id}\0",
    "a statement": "' OR '1'='1",
    "long": "k" * 10_000,
}


def test_a_token_that_was_seen_before_expires_all_the_same() -> None:
    ours, token = tokens(1), tokens(1).issue(USER, 0)
    deadline = time.monotonic() + 300
    assert ours.validate(token) == ours.validate(token)
    while time.monotonic() < deadline:
        try:
            ours.validate(token)
        except Unauthenticated:
            return
        time.sleep(0.05)
    pytest.fail("it never expired")


def test_a_token_of_another_key_is_refused_under_every_name() -> None:
    another = TokenKey.new(datetime.now(UTC))
    for forged in (signed(another.private), signed(another.private, key_id=another.key_id)):
        with pytest.raises(Unauthenticated):
            tokens(60).validate(forged)


@pytest.mark.parametrize("key_id", STRANGE_KEY_IDS.values(), ids=STRANGE_KEY_IDS)
def test_an_id_that_is_no_key_s_finds_none(key_id: str | None) -> None:
    with pytest.raises(Unauthenticated):
        tokens(60).validate(signed(key_id=key_id))


def by_hand(header: dict[str, Any], signature: Callable[[bytes], bytes]) -> str:
    """A token as no library makes it."""
    parts = [json.dumps(part).encode() for part in ({"typ": "JWT", "kid": KEY.key_id, **header}, claims())]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (text + b"." + base64.urlsafe_b64encode(signature(text)).rstrip(b"=")).decode()


def test_only_one_algorithm_counts() -> None:
    # HMAC with what everybody knows: the public key, as text, as bytes, or as the JWKS spells it.
    for known in (PEM, RAW, KEY.jwk["x"].encode()):
        for name, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
            with pytest.raises(Unauthenticated):
                tokens(60).validate(by_hand({"alg": name}, lambda text, k=known, d=digest: hmac.digest(k, text, d)))  # type: ignore[misc]
    for stated in ("none", "None", "nOnE", "", "HS256", "ES256", "RS256", "Ed25519", "Ed448", None, 5, ["EdDSA"]):
        for signature in (b"", KEY.private.sign(b"")):
            with pytest.raises(Unauthenticated):
                tokens(60).validate(by_hand({"alg": stated}, lambda _, s=signature: s))  # type: ignore[misc]
    assert tokens(60).validate(by_hand({"alg": "EdDSA"}, KEY.private.sign)).token_id == TOKEN


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_header_that_brings_its_own_key_brings_nothing(name: str) -> None:
    another, elsewhere = TokenKey.new(datetime.now(UTC)), "http://127.0.0.1:9/"
    brought = {"jwk": another.jwk, "jku": elsewhere, "x5u": elsewhere, "x5c": ["MII"]}
    with pytest.raises(Unauthenticated):
        tokens(60).validate(by_hand({"alg": "EdDSA", name: brought[name]}, another.private.sign))


def test_a_header_that_must_be_understood_and_is_not_refuses_the_token() -> None:
    with pytest.raises(Unauthenticated):
        tokens(60).validate(by_hand({"alg": "EdDSA", "crit": ["x"], "x": 1}, KEY.private.sign))


def test_what_is_nested_without_end_or_long_is_refused() -> None:
    for header in ("[" * 12_000, '{"kid":' * 1_700):
        text = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
        with pytest.raises(Unauthenticated):
            tokens(60).validate(f"{text[: MAX_TOKEN - 10]}.e30.AA")
    with pytest.raises(Unauthenticated):
        tokens(60).validate(signed(padding="x" * MAX_TOKEN))


def test_no_byte_of_a_token_may_be_changed() -> None:
    token = tokens(60).issue(USER, 0)
    header, payload, signature = token.split(".")
    other = signed(sub=str(uuid4())).split(".")[1]
    for forged in (f"{header}.{other}.{signature}", f"{header}.{payload}.", f"{header}.{payload}", token + ".x"):
        with pytest.raises(Unauthenticated):
            tokens(60).validate(forged)


@given(st.text(max_size=200))
def test_no_text_is_anything_but_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens(60).validate(text)
