"""Tokens of an external OpenID Connect issuer, in place of ours: they name users by verified addresses."""

from __future__ import annotations

import hashlib
import logging
import string
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt

from server.auth.issuer_keys import IssuerKeys
from server.auth.tokens import MALFORMED, MAX_TOKEN
from server.errors import Unauthenticated

# By which the issuer's clock may differ from ours.
LEEWAY_S = 30
MAX_EMAIL = 320
# Seconds since the epoch, in the year 2242: what a database and a calendar can hold.
LATEST = 2**33
LOG_AGAIN_S = 60.0
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExternalToken:
    """A valid token of the issuer. Who its user is, and of which organization and role, is asked of the database."""

    email: str
    organization: str
    """Name of the only organization whose users it may name; empty: any."""
    token_id: UUID
    """Made of what is signed of the token."""
    issued_at: datetime
    expires_at: float
    """Until when it counts, seconds since the epoch: a while longer than it says."""


@dataclass(frozen=True, slots=True)
class IssuerRules:
    """What the tokens of the issuer must be."""

    issuer: str
    audience: str
    email_claim: str = "email"
    organization: str = ""
    """Name of the only organization whose users it may name; empty: any."""
    new_user_role: str = ""
    """Role of unknown users, who are made in ``organization``; empty: they are refused."""


class _Refused(Exception):
    """Why a token is refused: for the log, without anything of the token."""


class ExternalIssuer:
    """Validates tokens of one issuer."""

    def __init__(self, rules: IssuerRules, keys: IssuerKeys) -> None:
        self.rules = rules
        self._keys = keys
        self._logged: dict[str, float] = {}

    def is_named_in(self, token: str) -> bool:
        """Return whether a token claims to be of this issuer; whether that is true, ``validate`` says."""
        if len(token) > MAX_TOKEN:
            return False
        try:
            claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False, "verify_aud": False})
        except (*MALFORMED, KeyError):
            return False
        return claims.get("iss") == self.rules.issuer

    async def validate(self, token: str) -> ExternalToken:
        """Return what a valid token says. Raises Unauthenticated; the log says why, each reason once a minute."""
        try:
            return self._read(token, await self._claims(token))
        except _Refused as refused:
            self.log_refusal(str(refused))
            raise Unauthenticated from None

    def log_refusal(self, reason: str) -> None:
        """Log why a token was refused, unless the same was logged within the last minute."""
        now = time.monotonic()
        if now - self._logged.get(reason, float("-inf")) >= LOG_AGAIN_S:
            self._logged[reason] = now
            log.warning("tokens of the external issuer are refused: %s", reason)

    async def _claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that the issuer signed for us. Raises _Refused."""
        if len(token) > MAX_TOKEN:
            raise _Refused(f"longer than {MAX_TOKEN} characters")
        try:
            key_id = jwt.get_unverified_header(token)["kid"]
        except (*MALFORMED, KeyError):
            raise _Refused("no kid") from None
        key = await self._keys.find(key_id)
        if key is None:
            raise _Refused("of an unknown key")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.public,
                algorithms=list(key.algorithms),
                audience=self.rules.audience,
                issuer=self.rules.issuer,
                leeway=LEEWAY_S,
                options={"require": ["iss", "aud", "exp", "iat"]},
            )
        except (*MALFORMED, KeyError) as error:
            # The type alone: the message of some quotes the token.
            raise _Refused(type(error).__name__) from None
        return claims

    def _read(self, token: str, claims: dict[str, Any]) -> ExternalToken:
        issued_at, expires_at = claims["iat"], claims["exp"]
        for moment in (issued_at, expires_at):
            if isinstance(moment, bool) or not isinstance(moment, int | float) or not 0 <= moment < LATEST:
                raise _Refused("a time that is none")
        if claims.get("email_verified") is not True:
            raise _Refused("email_verified is not true")
        # Of what is signed: a signature can be written in several ways, and what was logged out must not come back.
        digest = hashlib.sha256(token.rpartition(".")[0].encode()).digest()
        return ExternalToken(
            _email(claims.get(self.rules.email_claim)),
            self.rules.organization,
            UUID(bytes=digest[:16]),
            datetime.fromtimestamp(issued_at, UTC),
            float(expires_at) + LEEWAY_S,
        )


def _email(claim: object) -> str:
    if not isinstance(claim, str) or len(claim) > MAX_EMAIL or not all(claim.partition("@")):
        raise _Refused("no email address")
    if not claim.isprintable() or any(c.isspace() for c in claim):
        raise _Refused("no email address")
    # Letters outside ASCII stay: some become one of ASCII, and so the address of somebody else.
    return claim.translate(_LOWER)
