"""Bearer tokens: JWT, HS256, one audience, short of nothing but what a call needs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

import jwt

from server.errors import Unauthenticated

ALGORITHM = "HS256"
ISSUER = "meetra"
AUDIENCE = "meetra-api"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    user_id: UUID
    organization_id: UUID
    issued_at: float
    """Seconds since the epoch."""


class Tokens:
    """Issues and reads tokens with one secret."""

    def __init__(self, secret: str, ttl_s: int) -> None:
        self._secret = secret
        self._ttl_s = ttl_s

    def issue(self, user_id: UUID, organization_id: UUID) -> str:
        """A token for the user that expires after the configured time."""
        now = int(time.time())
        claims = {
            "sub": str(user_id),
            "org": str(organization_id),
            "iat": now,
            "exp": now + self._ttl_s,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Claims:
        """The claims of a valid token. Raises Unauthenticated for any other, whatever is wrong with it."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["sub", "org", "iat", "exp", "iss", "aud"]},
            )
            return Claims(UUID(claims["sub"]), UUID(claims["org"]), float(claims["iat"]))
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise Unauthenticated from None
