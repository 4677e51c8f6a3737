"""Keys of an external issuer, over real HTTP: kept, and fetched anew when one is unknown, once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, SECP256R1, SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from server.auth import IssuerKeys, fetch_json
from server.auth.issuer_keys import FRESH_S, KEPT_S, MAX_KEYS, RETRY_S, parse_keys
from server.auth.issuer_requests import IssuerUnreachable
from tests.server.identity_provider import OTHER_RSA, IdentityProvider, answer, jwk, running_issuer

PATIENCE_S = 300
DISCOVERY = "/realm/.well-known/openid-configuration"
EC, EC_384, ED = ec_key(SECP256R1()), ec_key(SECP384R1()), Ed25519PrivateKey.generate()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def issuer() -> AsyncIterator[IdentityProvider]:
    async with running_issuer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: IdentityProvider, clock: Clock) -> IssuerKeys:
    return IssuerKeys(issuer.url, issuer.jwks_url, partial(fetch_json, private_network=True), clock)


async def test_the_issuer_says_where_its_keys_are_unless_the_setting_does(issuer: IdentityProvider) -> None:
    fetch = partial(fetch_json, private_network=True)
    assert await IssuerKeys(issuer.url, "", fetch).find("one") is not None
    assert issuer.asked == [DISCOVERY, "/keys"]
    assert await IssuerKeys(issuer.url, issuer.jwks_url, fetch).find("one") is not None
    assert issuer.asked[2:] == ["/keys"]


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "ftp://127.0.0.1/keys"},
        {"jwks_uri": ["/keys"]},
    ],
    ids=["another issuer", "no issuer", "no keys", "a file", "another scheme", "a list"],
)
async def test_a_description_that_does_not_fit_leads_nowhere(
    issuer: IdentityProvider, described: dict[str, Any]
) -> None:
    issuer.described = described
    assert await IssuerKeys(issuer.url, "", partial(fetch_json, private_network=True)).find("one") is None
    assert issuer.asked == [DISCOVERY]


async def test_a_description_leads_to_no_private_address(issuer: IdentityProvider) -> None:
    async def fetch(url: str) -> dict[str, Any]:
        # The description comes from the internet, and names a machine beside us.
        return await fetch_json(url, private_network=url.endswith("configuration"))

    issuer.described = {"jwks_uri": f"https://127.0.0.1:{issuer.port}/keys"}
    assert await IssuerKeys(issuer.url, "", fetch).find("one") is None
    assert issuer.asked == [DISCOVERY]


async def test_known_keys_are_kept_and_unknown_ones_fetched_at_most_once_a_minute(
    issuer: IdentityProvider, keys: IssuerKeys, clock: Clock
) -> None:
    for _ in range(3):
        assert await keys.find("one") is not None
    assert len(issuer.asked) == 1
    issuer.keys.append(jwk("two", OTHER_RSA))
    # However many come: the last fetch was within the minute.
    assert [await keys.find(name) for name in ("two", "three", "../../x", "two")] == [None] * 4
    assert len(issuer.asked) == 1
    clock.now += RETRY_S
    assert await asyncio.gather(*(keys.find("three") for _ in range(20))) == [None] * 20
    assert len(issuer.asked) == 2
    assert await keys.find("two") is not None
    assert len(issuer.asked) == 2


async def test_old_keys_are_fetched_again_and_nobody_waits_for_that(
    issuer: IdentityProvider, keys: IssuerKeys, clock: Clock
) -> None:
    assert await keys.find("one") is not None
    issuer.keys = [jwk("two", OTHER_RSA)]
    clock.now += FRESH_S
    assert await keys.find("one") is not None
    async with asyncio.timeout(PATIENCE_S):
        while await keys.find("two") is None:
            await asyncio.sleep(0.01)
    assert len(issuer.asked) == 2
    assert await keys.find("one") is None, "the issuer took it back"


@pytest.mark.parametrize("gone", [answer(b"", "503 Away"), answer(b'{"keys": []}'), answer(b"{"), b"\n\n"])
async def test_an_issuer_that_is_gone_leaves_its_keys_for_a_day(
    issuer: IdentityProvider, keys: IssuerKeys, clock: Clock, gone: bytes
) -> None:
    assert await keys.find("one") is not None
    issuer.raw["/keys"] = gone
    for _ in range(10):
        clock.now += KEPT_S / 12
        assert await keys.find("one") is not None
        assert await keys.find("two") is None
    clock.now += KEPT_S / 5
    assert await keys.find("one") is None
    del issuer.raw["/keys"]
    assert await keys.find("one") is None, "the minute is not over"
    clock.now += RETRY_S
    assert await keys.find("one") is not None


async def test_a_slow_issuer_delays_no_known_key(
    issuer: IdentityProvider, keys: IssuerKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await keys.find("one") is not None
    issuer.raw["/keys"] = b""
    clock.now += RETRY_S
    unknown = asyncio.create_task(keys.find("two"))
    async with asyncio.timeout(PATIENCE_S):
        while len(issuer.asked) < 2:
            await asyncio.sleep(0.01)
        for _ in range(100):
            assert await keys.find("one") is not None
        assert not unknown.done()
        # It is given up by itself.
        assert await unknown is None
    assert len(issuer.asked) == 2


async def test_who_stops_waiting_stops_nobody_else(issuer: IdentityProvider, keys: IssuerKeys) -> None:
    first, second = asyncio.create_task(keys.find("one")), asyncio.create_task(keys.find("one"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None


def okp(key: Any, **changed: Any) -> dict[str, Any]:
    return {**OKPAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "k", **changed}


def ec(key: Any, **changed: Any) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "k", **changed}


@pytest.mark.parametrize(
    ("entry", "algorithms"),
    [
        (jwk("k", alg="RS256"), ("RS256",)),
        (jwk("k"), ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        (ec(EC), ("ES256",)),
        (ec(EC_384, alg="ES384"), ("ES384",)),
        (okp(ED), ("EdDSA",)),
    ],
    ids=["RSA for one algorithm", "RSA for any", "P-256", "P-384", "Ed25519"],
)
def test_a_key_verifies_what_fits_it(entry: dict[str, Any], algorithms: tuple[str, ...]) -> None:
    (key,) = parse_keys({"keys": [entry]}).values()
    assert key.algorithms == algorithms


UNUSABLE: dict[str, object] = {
    "a secret": {"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "HS256"},
    "RSA for HMAC": jwk("k", alg="HS256"),
    "RSA for none": jwk("k", alg="none"),
    "RSA for an elliptic curve": jwk("k", alg="ES256"),
    "a short RSA key": jwk("k", generate_private_key(65537, 1024)),
    "for encryption": jwk("k", use="enc"),
    "without an id": {name: value for name, value in jwk("k").items() if name != "kid"},
    "with a number for an id": jwk("k", kid=5),
    "with a long id": jwk("k" * 300),
    "of a curve of coins": {**ec(EC), "crv": "secp256k1", **{n: ec(ec_key(SECP256K1()))[n] for n in ("x", "y")}},
    "Ed448": okp(Ed448PrivateKey.generate()),
    "P-256 for another curve": ec(EC, alg="ES384"),
    "off its curve": ec(EC, x=ec(ec_key(SECP256R1()))["x"]),
    "damaged": jwk("k", n="!"),
    "with a list for a number": jwk("k", n=["AQAB"]),
    "text": "k",
    "nothing": None,
}


@pytest.mark.parametrize("entry", UNUSABLE.values(), ids=UNUSABLE)
def test_any_other_key_is_left_out(entry: object) -> None:
    assert set(parse_keys({"keys": [entry, jwk("good")]})) == {"good"}
    with pytest.raises(IssuerUnreachable, match="no key that we can use"):
        parse_keys({"keys": [entry]})


@pytest.mark.parametrize(
    "document",
    [{}, {"keys": {}}, {"keys": [jwk("k")] * (MAX_KEYS + 1)}, {"keys": [jwk("k"), jwk("k", OTHER_RSA)]}],
    ids=["no list", "an object", "too many", "two of one id"],
)
def test_a_set_that_is_none_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(IssuerUnreachable):
        parse_keys(document)
