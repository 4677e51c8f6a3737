"""Bearer tokens: JWT, HS256, one audience."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID, uuid4

import jwt

from server.errors import Unauthenticated

ALGORITHM = "HS256"
ISSUER = "meetra"
AUDIENCE = "meetra-api"


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid token. It says who its user is; all else about them is asked of the database."""

    user_id: UUID
    token_id: UUID
    generation: int
    """The token generation of the user in which it was issued."""
    expires_at: float
    """Seconds since the epoch."""


class Tokens:
    """Issue and validate tokens with one secret."""

    def __init__(self, secret: str, ttl_s: int) -> None:
        self._secret = secret
        self._ttl_s = ttl_s

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
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def validate(self, token: str) -> Claims:
        """Return the claims of a valid token. Raises Unauthenticated for an invalid one."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["sub", "jti", "gen", "iat", "exp", "iss", "aud"]},
            )
            if type(claims["gen"]) is not int or not 0 <= claims["gen"] < 2**31:
                raise Unauthenticated
            return Claims(UUID(claims["sub"]), UUID(claims["jti"]), claims["gen"], float(claims["exp"]))
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise Unauthenticated from None
