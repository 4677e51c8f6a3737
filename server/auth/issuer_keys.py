"""The public keys of an external issuer: fetched when they are needed, and kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from server.auth.issuer_requests import TIMEOUT_S, IssuerUnreachable

# Keys so old are fetched again, while those that are there go on.
FRESH_S = 600.0
# For so long they go on where the issuer cannot be reached.
KEPT_S = 24 * 3600.0
# Between two fetches, whatever tokens come.
RETRY_S = 60.0
MAX_KEYS, MAX_KEY_ID = 100, 256
RSA_BITS = range(2048, 8193)
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
log = logging.getLogger(__name__)

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
# Returns the JSON object at a URL. Raises IssuerUnreachable.
Fetch = Callable[[str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A key, and the algorithms in which it may have signed."""

    public: PublicKey
    algorithms: tuple[str, ...]


class IssuerKeys:
    """Keys by their ids.

    Args:
        issuer: URL, as in the claim ``iss``.
        jwks_url: where the keys are; empty: the issuer's own description says where.
        fetch: returns the JSON object at a URL.
        clock: seconds that never go back.
    """

    def __init__(self, issuer: str, jwks_url: str, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._jwks_url = issuer, jwks_url
        self._fetch, self._clock = fetch, clock
        self._keys: dict[str, IssuerKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> IssuerKey | None:
        """Return the key of this ``kid``; None if the issuer has none.

        A key that is known answers at once; an unknown one has the keys fetched, at most once a minute.
        """
        age_s = self._clock() - self._fetched_at
        known = self._keys.get(key_id) if age_s < KEPT_S else None
        if known is not None and age_s < FRESH_S:
            return known
        fetching = self._start_fetching()
        if known is None and fetching is not None:
            # Whoever waits may go away; the others wait on.
            await asyncio.shield(fetching)
            known = self._keys.get(key_id) if self._clock() - self._fetched_at < KEPT_S else None
        return known

    def _start_fetching(self) -> asyncio.Task[None] | None:
        """Return the fetch that runs; None if it is too early for another."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        if self._clock() - self._tried_at < RETRY_S:
            return None
        self._tried_at = self._clock()
        self._fetching = asyncio.create_task(self._refresh(), name="fetch keys of the external issuer")
        return self._fetching

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                self._keys = parse_keys(await self._fetch(self._jwks_url or await self._discover()))
            self._fetched_at = self._clock()
        except TimeoutError:
            log.warning("keys of the external issuer: no answer within %.0f s; those that are known go on", TIMEOUT_S)
        except IssuerUnreachable as error:
            log.warning("keys of the external issuer: %s; those that are known go on", error)
        except Exception:
            log.exception("keys of the external issuer cannot be fetched; those that are known go on")

    async def _discover(self) -> str:
        described = await self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != self._issuer:
            raise IssuerUnreachable("its description names another issuer")
        url = described.get("jwks_uri")
        if not isinstance(url, str):
            raise IssuerUnreachable("its description names no jwks_uri")
        return url


def parse_keys(document: dict[str, Any]) -> dict[str, IssuerKey]:
    """Return the usable keys of a JSON Web Key Set by their ids. Raises IssuerUnreachable if there are none."""
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise IssuerUnreachable(f"its key set is no list of at most {MAX_KEYS} keys")
    found: dict[str, IssuerKey] = {}
    for entry in listed:
        key = _parse_key(entry)
        if key is None:
            continue
        if entry["kid"] in found:
            raise IssuerUnreachable("two of its keys have one id")
        found[entry["kid"]] = key
    if not found:
        raise IssuerUnreachable("its key set has no key that we can use")
    return found


def _parse_key(entry: object) -> IssuerKey | None:
    """Return a key that verifies signatures; None for any other, such as a secret for HMAC."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    key_id, stated = entry.get("kid"), entry.get("alg")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= MAX_KEY_ID:
        return None
    try:
        # Without the algorithm: of it, only what fits the key counts.
        public = jwt.PyJWK({name: value for name, value in entry.items() if name != "alg"}).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    possible: tuple[str, ...] = ()
    if isinstance(public, RSAPublicKey) and public.key_size in RSA_BITS:
        possible = _RSA
    elif isinstance(public, EllipticCurvePublicKey) and public.curve.name in _CURVES:
        possible = (_CURVES[public.curve.name],)
    elif isinstance(public, Ed25519PublicKey):
        possible = ("EdDSA",)
    algorithms = possible if stated is None else tuple(name for name in possible if name == stated)
    return IssuerKey(public, algorithms) if algorithms and isinstance(public, PublicKey) else None
