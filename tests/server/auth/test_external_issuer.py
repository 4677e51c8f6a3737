"""Tokens of an external issuer against users of a real database: whom they let in, and how they do not."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth import (
    Accounts,
    Authenticator,
    Caller,
    ExternalIssuer,
    IssuerKeys,
    IssuerRules,
    LoginThrottle,
    Passwords,
    UserWatch,
    fetch_json,
    hash_password,
)
from server.auth.external_issuer import LEEWAY_S
from server.errors import InvalidCredentials, Unauthenticated
from server.storage import users
from server.storage.pool import Connection, Database
from server.storage.users import User
from tests.server.identity_provider import AUDIENCE, OTHER_RSA, RSA, IdentityProvider, jwk, running_issuer
from tests.server.signing import KEY, tokens
from tests.server.storage.rows import make_user


@pytest.fixture
async def issuer() -> AsyncIterator[IdentityProvider]:
    async with running_issuer() as running:
        yield running


def authenticator(database: Database, issuer: IdentityProvider, **rules: str) -> Authenticator:
    fetch = partial(fetch_json, private_network=True)
    keys = IssuerKeys(issuer.url, issuer.jwks_url, fetch)
    return Authenticator(tokens(60), database, ExternalIssuer(IssuerRules(issuer.url, AUDIENCE, **rules), keys))


async def caller(door: Authenticator, token: str) -> Caller:
    return await door.authenticate([("authorization", f"Bearer {token}")])


async def refused(door: Authenticator, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await caller(door, token)


async def test_a_verified_address_finds_its_user_and_the_row_says_the_rest(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    user = await make_user(owner, "Org", "a@example.org", "reader")
    elsewhere = await make_user(owner, "Elsewhere", "b@example.org")
    door = authenticator(database, issuer)
    # Whatever a token says of organizations and roles.
    boasting: dict[str, Any] = {"role": "owner", "roles": ["owner"], "organization": "Elsewhere"}
    boasting["org"] = str(elsewhere.organization_id)
    for token in (issuer.token(), issuer.token(email="A@Example.ORG"), issuer.token(**boasting)):
        found = await caller(door, token)
        assert (found.user_id, found.organization_id, found.role) == (user.id, user.organization_id, "reader")
    assert (await caller(door, issuer.token(aud=["another", AUDIENCE]))).user_id == user.id
    assert (await caller(door, issuer.token(upn="b@example.org"))).user_id == user.id
    by_name = authenticator(database, issuer, email_claim="upn")
    assert (await caller(by_name, issuer.token(upn="b@example.org"))).user_id == elsewhere.id
    # Ours go on.
    assert (await caller(door, tokens(60).issue(user.id, 0))).user_id == user.id


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"") -> str:
    """A token that no library makes; with a secret, signed by HMAC."""
    parts = [json.dumps(part).encode() for part in ({"typ": "JWT", **header}, claims)]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.digest(secret, text, "sha256") if secret else b""
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
# By name: makes a token of the issuer that must not be taken.
ATTACKS: dict[str, Callable[[IdentityProvider], str]] = {
    "no algorithm": lambda i: by_hand({"alg": "none", "kid": "one"}, i.claims()),
    "HMAC with the public key in PEM": lambda i: by_hand({"alg": "HS256", "kid": "one"}, i.claims(), PEM),
    "HMAC with the public key as published": lambda i: by_hand(
        {"alg": "HS256", "kid": "one"}, i.claims(), jwk("one")["n"].encode()
    ),
    "another key under a known id": lambda i: i.token(OTHER_RSA),
    "an unknown id": lambda i: i.token(key_id="two"),
    "no id": lambda i: i.token(key_id=None),
    "a path for an id": lambda i: i.token(key_id="../../etc/passwd"),
    "a URL for an id": lambda i: i.token(key_id="https://elsewhere.example/keys"),
    "a key of ours": lambda i: jwt.encode(i.claims(), KEY.private, "EdDSA", {"kid": KEY.key_id}),
    "a key of ours under a known id": lambda i: jwt.encode(i.claims(), KEY.private, "EdDSA", {"kid": "one"}),
    "a header that brings its key": lambda i: jwt.encode(
        i.claims(), OTHER_RSA, "RS256", {"kid": "two", "jwk": jwk("two", OTHER_RSA), "jku": "http://127.0.0.1:9/"}
    ),
    "our issuer's name": lambda i: i.token(iss="meetra"),
    "our name, audience and claims": lambda i: i.token(
        iss="meetra", aud="meetra-api", sub=str(uuid4()), jti=str(uuid4()), gen=0
    ),
    "another issuer": lambda i: i.token(iss="https://elsewhere.example"),
    "an issuer that begins alike": lambda i: i.token(iss=i.url + "/"),
    "a list of issuers": lambda i: i.token(iss=[i.url, "meetra"]),
    "no issuer": lambda i: i.token(iss=None),
    "another audience": lambda i: i.token(aud="another"),
    "our own audience": lambda i: i.token(aud="meetra-api"),
    "no audience": lambda i: i.token(aud=None),
    "expired": lambda i: i.token(exp=int(time.time()) - LEEWAY_S - 5),
    "never expires": lambda i: i.token(exp=None),
    "expires in three centuries": lambda i: i.token(exp=2**34),
    "expires at a text": lambda i: i.token(exp=str(int(time.time()) + 60)),
    "not valid yet": lambda i: i.token(nbf=int(time.time()) + LEEWAY_S + 60),
    "issued in the future": lambda i: i.token(iat=int(time.time()) + LEEWAY_S + 60),
    "issued at no time": lambda i: i.token(iat=None),
    "issued before the epoch": lambda i: i.token(iat=-(2**40)),
    "an unverified address": lambda i: i.token(email_verified=False),
    "an address that nobody says is verified": lambda i: i.token(email_verified=None),
    "an address verified by a text": lambda i: i.token(email_verified="true"),
    "no address": lambda i: i.token(email=None),
    "a list of addresses": lambda i: i.token(email=["a@example.org"]),
    "half an address": lambda i: i.token(email="@example.org"),
    "an address with a NUL": lambda i: i.token(email="a@example.org\0"),
    "an address with a space": lambda i: i.token(email=" a@example.org"),
    "a long address": lambda i: i.token(email="a" * 400 + "@example.org"),
    "an address that becomes another's in lower case": lambda i: i.token(email="\u212aay@example.org"),
    "an unknown address": lambda i: i.token(email="nobody@example.org"),
    "a token of 20 kB": lambda i: i.token(padding="x" * 20_000),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_no_other_token_lets_anybody_in(
    owner: Database, database: Database, issuer: IdentityProvider, attack: str
) -> None:
    for email in ("a@example.org", "kay@example.org"):
        await make_user(owner, "Org", email)
    door = authenticator(database, issuer)
    assert (await caller(door, issuer.token())).role == "owner"
    await refused(door, ATTACKS[attack](issuer))


async def test_without_the_setting_nobody_else_s_tokens_count(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    await make_user(owner, "Org", "a@example.org")
    await refused(Authenticator(tokens(60), database), issuer.token())
    assert issuer.asked == []


async def test_a_token_of_ours_never_asks_the_issuer(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    door = authenticator(database, issuer)
    assert (await caller(door, tokens(60).issue(user.id, 0))).user_id == user.id
    await refused(door, jwt.encode(issuer.claims(iss="meetra"), RSA, "RS256", {"kid": "one"}))
    await refused(door, "mk_unknown")
    assert issuer.asked == []


VOIDING: dict[str, Callable[[Connection, User], Awaitable[object]]] = {
    "revoked": lambda c, user: users.void_tokens(c, user.organization_id, user.id),
    "disabled": lambda c, user: users.update(c, user.organization_id, user.id, disabled=True),
    "deleted": lambda c, user: users.delete(c, user.organization_id, user.id),
    "of another password": lambda c, user: users.ensure_user(c, "Org", user.email, "another hash"),
}


@pytest.mark.parametrize("change", VOIDING)
async def test_what_voids_our_tokens_voids_theirs(
    owner: Database, database: Database, issuer: IdentityProvider, change: str
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    token = issuer.token()
    assert (await caller(authenticator(database, issuer), token)).user_id == user.id
    await owner.run(lambda c: VOIDING[change](c, user))
    await refused(authenticator(database, issuer), token)
    later = issuer.token(iat=int(time.time()) + 2)
    if change in ("disabled", "deleted"):
        await refused(authenticator(database, issuer), later)
    else:
        # Whoever logs in there again is in again.
        assert (await caller(authenticator(database, issuer), later)).user_id == user.id


async def test_who_logs_out_is_out_with_that_token_alone(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    await make_user(owner, "Org", "a@example.org")
    door, watch = authenticator(database, issuer), UserWatch(database)
    watch.subscribe(door.forget)
    accounts = Accounts(database, Passwords(), tokens(60), LoginThrottle(), watch)
    token, another = issuer.token(), issuer.token(jti="another")
    await accounts.log_out(await caller(door, token), everywhere=False)
    await refused(door, token)
    # Nor is it in with the same signature written otherwise: decoders of Base64 are lenient.
    for written in (f"{token}==", f"{token}~~~~", f"{token[:-9]}****{token[-9:]}"):
        await refused(door, written)
    await accounts.log_out(await caller(door, another), everywhere=True)
    await refused(door, another)


async def test_a_logout_is_remembered_for_as_long_as_the_token_would_count(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    await make_user(owner, "Org", "a@example.org")
    door, watch = authenticator(database, issuer), UserWatch(database)
    watch.subscribe(door.forget)
    accounts = Accounts(database, Passwords(), tokens(60), LoginThrottle(), watch)
    now = int(time.time())
    over, another = issuer.token(exp=now - 5), issuer.token(jti="another")
    await accounts.log_out(await caller(door, over), everywhere=False)
    # Removes what is remembered of tokens that have expired.
    await accounts.log_out(await caller(door, another), everywhere=False)
    await refused(door, over)


async def test_of_one_organization_only_its_users_count(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    user = await make_user(owner, "Org", "a@example.org")
    await make_user(owner, "Elsewhere", "b@example.org")
    door = authenticator(database, issuer, organization="Org")
    assert (await caller(door, issuer.token())).user_id == user.id
    await refused(door, issuer.token(email="b@example.org"))


async def test_unknown_users_are_made_in_one_organization_with_one_role(
    owner: Database, database: Database, issuer: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ours = await make_user(owner, "Org", "a@example.org")
    theirs = await make_user(owner, "Elsewhere", "b@example.org")
    door = authenticator(database, issuer, organization="Org", new_user_role="reader")
    token = issuer.token(email="New@Example.org", role="owner", organization="Elsewhere")
    made = await caller(door, token)
    assert (made.organization_id, made.role) == (ours.organization_id, "reader")
    assert (await caller(door, token)).user_id == made.user_id
    found = await owner.run(lambda c: users.find_by_email(c, "new@example.org"))
    assert found is not None
    assert (found.id, found.password_hash) == (made.user_id, None)
    # An address of another organization stays there, and one that was disabled stays out.
    await refused(door, issuer.token(email=theirs.email))
    await owner.run(lambda c: users.update(c, ours.organization_id, made.user_id, disabled=True))
    await refused(authenticator(database, issuer, organization="Org", new_user_role="reader"), token)
    assert len(await owner.run(lambda c: users.list_all(c, None))) == 3
    assert "example.org" not in caplog.text.lower()
    assert f"user {made.user_id} was made" in caplog.text


async def test_of_calls_at_once_one_makes_the_user_and_all_get_in(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    await make_user(owner, "Org")
    door, token = authenticator(database, issuer, organization="Org", new_user_role="member"), issuer.token()
    found = await asyncio.gather(*(caller(door, token) for _ in range(8)))
    assert len({one.user_id for one in found}) == 1


async def test_no_organization_is_made(owner: Database, database: Database, issuer: IdentityProvider) -> None:
    door = authenticator(database, issuer, organization="Nowhere", new_user_role="member")
    await refused(door, issuer.token())
    assert await owner.run(lambda c: c.fetchval("SELECT count(*) FROM organizations WHERE name = 'Nowhere'")) == 0


async def test_who_has_no_password_cannot_log_in_with_any(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    await make_user(owner, "Org", "a@example.org")
    door = authenticator(database, issuer, organization="Org", new_user_role="member")
    made = await caller(door, issuer.token(email="new@example.org"))
    accounts = Accounts(database, Passwords(), tokens(60), LoginThrottle(), UserWatch(database))
    for password in ("", "None"):
        with pytest.raises(InvalidCredentials):
            await accounts.log_in("new@example.org", password, None)
        with pytest.raises(InvalidCredentials):
            await accounts.change_password(made, password, "a new password of theirs", None)


async def test_one_with_a_password_changes_it_and_every_token_until_then_is_void(
    owner: Database, database: Database, issuer: IdentityProvider
) -> None:
    await owner.run(lambda c: users.ensure_user(c, "Org", "a@example.org", hash_password("the old one")))
    door, watch = authenticator(database, issuer), UserWatch(database)
    watch.subscribe(door.forget)
    accounts = Accounts(database, Passwords(), tokens(60), LoginThrottle(), watch)
    token = issuer.token()
    ours = await accounts.change_password(await caller(door, token), "the old one", "a new password", None)
    await refused(door, token)
    assert (await caller(door, ours)).role == "owner"


async def test_the_log_says_why_once_a_minute_and_nothing_of_the_token(
    owner: Database, database: Database, issuer: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    await make_user(owner, "Org", "a@example.org")
    door = authenticator(database, issuer)
    with caplog.at_level("WARNING", "server.auth.external_issuer"):
        for _ in range(5):
            await refused(door, issuer.token(email="secret@example.org"))
            await refused(door, issuer.token(email_verified=False))
            await refused(door, issuer.token(aud="secret audience"))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert any("email_verified is not true" in line for line in said)
    assert "secret" not in caplog.text
