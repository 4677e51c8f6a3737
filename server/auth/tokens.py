"""Bearer tokens: JWT, HS256, one audience."""

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
    """The claims of a valid token."""

    user_id: UUID
    organization_id: UUID
    issued_at: float
    """Seconds since the epoch."""


class Tokens:
    """Issue and validate tokens with one secret."""

    def __init__(self, secret: str, ttl_s: int) -> None:
        self._secret = secret
        self._ttl_s = ttl_s

    def issue(self, user_id: UUID, organization_id: UUID) -> str:
        """Issue a token for the user, valid for the configured time."""
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

    def validate(self, token: str) -> Claims:
        """Return the claims of a valid token. Raises Unauthenticated for an invalid one."""
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
