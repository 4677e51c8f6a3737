"""Bearer tokens: JWT, signed with EdDSA; each kind has an issuer and an audience of its own."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar
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


class Signed(Protocol):
    """What the claims of every kind of token say."""

    @property
    def expires_at(self) -> float:
        """Seconds since the epoch."""

    @property
    def key_id(self) -> str:
        """Of the key that signed the token."""


ClaimsT = TypeVar("ClaimsT", bound=Signed)


class SignedTokens(Generic[ClaimsT]):
    """Sign and validate tokens of one kind."""

    ISSUER: ClassVar[str]
    AUDIENCE: ClassVar[str]
    REQUIRED: ClassVar[tuple[str, ...]]

    def __init__(self, keys: TokenKeys) -> None:
        self._keys = keys
        self._verified: OrderedDict[bytes, ClaimsT] = OrderedDict()

    @property
    def keys(self) -> TokenKeys:
        """The keys that sign and verify."""
        return self._keys

    def _read(self, claims: Mapping[str, Any], key_id: str) -> ClaimsT:
        """Return the claims of a token whose signature is good. Raises one of ``MALFORMED`` or KeyError."""
        raise NotImplementedError

    def _sign(self, claims: Mapping[str, Any], issued_at: int, expires_at: int) -> str:
        named = {"iss": self.ISSUER, "aud": self.AUDIENCE, "iat": issued_at, "exp": expires_at}
        key = self._keys.signing()
        return jwt.encode({**claims, **named}, key.private, algorithm=ALGORITHM, headers={"kid": key.key_id})

    def validate(self, token: str) -> ClaimsT:
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

    def _verify(self, token: str) -> ClaimsT:
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
                audience=self.AUDIENCE,
                issuer=self.ISSUER,
                options={"require": [*self.REQUIRED, "iat", "exp", "iss", "aud"]},
            )
            return self._read(claims, key_id)
        except (*MALFORMED, KeyError):
            raise Unauthenticated from None

    def is_void(self, claims: ClaimsT) -> bool:
        """Return whether a token that was valid is so no more, since its key was revoked; expired ones are not."""
        return self._keys.is_revoked(claims.key_id)


def read_generation(claims: Mapping[str, Any]) -> int:
    """Return the token generation in claims. Raises ValueError."""
    if type(claims["gen"]) is not int or not 0 <= claims["gen"] < 2**31:
        raise ValueError("gen")
    generation: int = claims["gen"]
    return generation


class Tokens(SignedTokens[Claims]):
    """Issue and validate the tokens of users."""

    ISSUER, AUDIENCE, REQUIRED = ISSUER, AUDIENCE, ("sub", "jti", "gen")

    def __init__(self, keys: TokenKeys, ttl_s: int) -> None:
        super().__init__(keys)
        self.ttl_s = ttl_s
        """Lifetime of a token, seconds."""

    def issue(self, user_id: UUID, generation: int) -> str:
        """Issue a token for the user, valid for the configured time.

        Args:
            generation: the user's token generation.
        """
        now = int(time.time())
        return self._sign({"sub": str(user_id), "jti": str(uuid4()), "gen": generation}, now, now + self.ttl_s)

    def _read(self, claims: Mapping[str, Any], key_id: str) -> Claims:
        generation = read_generation(claims)
        return Claims(UUID(claims["sub"]), UUID(claims["jti"]), generation, float(claims["exp"]), key_id)
