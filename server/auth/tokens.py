"""Bearer tokens: JWT, signed with EdDSA, one issuer, one audience."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID, uuid4

import jwt

from server.auth.token_keys import ALGORITHM, TokenKeys
from server.errors import Unauthenticated

ISSUER = "meetra"
AUDIENCE = "meetra-api"
# Ours have 500 characters, those of other issuers a few thousand. What is longer is not looked at.
MAX_TOKEN = 16 * 1024
# So many signatures are not looked at again: that is most of the work of a short call.
MAX_VERIFIED = 10_000
# Whatever PyJWT says of a text that is no good token; RecursionError: its JSON is nested without end.
MALFORMED = (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid token. It says who its user is; all else about them is asked of the database."""

    user_id: UUID
    token_id: UUID
    generation: int
    """The token generation of the user in which it was issued."""
    expires_at: float
    """Seconds since the epoch."""
    key_id: str
    """Of the key that signed it."""


class Tokens:
    """Issue and validate tokens."""

    def __init__(self, keys: TokenKeys, ttl_s: int) -> None:
        self._keys = keys
        self._ttl_s = ttl_s
        self._verified: OrderedDict[bytes, Claims] = OrderedDict()

    @property
    def keys(self) -> TokenKeys:
        """The keys that sign and verify."""
        return self._keys

    def issue(self, user_id: UUID, generation: int) -> str:
        """Issue a token for the user, valid for the configured time.

        Args:
            generation: the user's token generation.
        """
        now = int(time.time())
        claims = {
            "sub": str(user_id),
            "jti": str(uuid4()),
            "gen": generation,
            "iat": now,
            "exp": now + self._ttl_s,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        key = self._keys.signing()
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.key_id})

    def validate(self, token: str) -> Claims:
        """Return the claims of a valid token. Raises Unauthenticated for an invalid one."""
        if len(token) > MAX_TOKEN:
            raise Unauthenticated
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        known = self._verified.get(digest)
        if known is not None and known.expires_at > time.time() and self._keys.public(known.key_id) is not None:
            return known
        claims = self._verify(token)
        self._verified[digest] = claims
        if len(self._verified) > MAX_VERIFIED:
            self._verified.popitem(last=False)
        return claims

    def _verify(self, token: str) -> Claims:
        """Return the claims of a token whose signature was looked at. Raises Unauthenticated."""
        try:
            # An id is compared with those of the keys there are; nothing is looked up by it anywhere else.
            key_id = str(jwt.get_unverified_header(token)["kid"])
            key = self._keys.public(key_id)
            if key is None:
                raise Unauthenticated
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["sub", "jti", "gen", "iat", "exp", "iss", "aud"]},
            )
            if type(claims["gen"]) is not int or not 0 <= claims["gen"] < 2**31:
                raise Unauthenticated
            return Claims(UUID(claims["sub"]), UUID(claims["jti"]), claims["gen"], float(claims["exp"]), key_id)
        except (*MALFORMED, KeyError):
            raise Unauthenticated from None

    def is_void(self, claims: Claims) -> bool:
        """Return whether a token that was valid is so no more, since its key was revoked; expired ones are not."""
        return self._keys.is_revoked(claims.key_id)
