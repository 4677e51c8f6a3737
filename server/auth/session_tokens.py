"""Session tokens: for one live meeting and a short time, made by a backend for a page in a browser."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from meetra.v1 import access_pb2

from server.auth.tokens import SignedTokens, Tokens, read_generation

# Of the text that is sent, so that nobody, the gateway included, takes one for a user's token.
PREFIX = "ms_"
SCOPES = {"send": access_pb2.SESSION_SCOPE_SEND, "watch": access_pb2.SESSION_SCOPE_WATCH}
# Of a link to the sound of a finished meeting; no caller asks for a token with it.
LISTEN = "listen"
ALL_SCOPES = {**SCOPES, LISTEN: access_pb2.SESSION_SCOPE_LISTEN}
# What the scopes leave of the rights of the user who made the token.
RIGHTS_OF_SESSION_SCOPE: dict[str, frozenset[int]] = {
    "send": frozenset({access_pb2.RIGHT_LIVE}),
    "watch": frozenset({access_pb2.RIGHT_LIVE, access_pb2.RIGHT_READ}),
    LISTEN: frozenset({access_pb2.RIGHT_READ}),
}
MAX_LIFETIME_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class SessionMaker:
    """With what a session token was made: void with it."""

    user_id: UUID
    organization_id: UUID
    token_id: UUID | None
    """Of the token; None: it was a key."""
    generation: int
    """The token generation of the user at that time; 0 for a key."""
    key_id: UUID | None
    """Of the key; None: it was a token."""


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """The claims of a valid session token."""

    maker: SessionMaker
    session_id: UUID
    """Of the only live meeting that it opens; of a link, what ``sound_id`` makes of the meeting's hash."""
    scopes: tuple[str, ...]
    """Names of ``ALL_SCOPES``."""
    token_id: UUID
    expires_at: float
    """Seconds since the epoch."""
    key_id: str
    """Of the key that signed it."""

    @property
    def opens(self) -> frozenset[int]:
        """Its scopes, as methods declare them: ``SessionScope`` of meetra/v1/access.proto."""
        return frozenset(ALL_SCOPES[scope] for scope in self.scopes)

    @property
    def rights(self) -> frozenset[int]:
        """What its scopes allow, as far as its user may: ``Right`` of meetra/v1/access.proto."""
        return frozenset[int]().union(*(RIGHTS_OF_SESSION_SCOPE[scope] for scope in self.scopes))


def sound_id(file_hash: str) -> UUID:
    """Return the id that stands for a finished meeting in the token of a link to its sound."""
    return uuid5(NAMESPACE_OID, f"sound of {file_hash}")


class SessionTokens(SignedTokens[SessionClaims]):
    """Issue and validate session tokens, with the keys of the users' tokens."""

    ISSUER, AUDIENCE = "meetra-session", "meetra-live-session"
    REQUIRED = ("sub", "org", "sid", "scp", "jti", "gen")

    def __init__(self, tokens: Tokens) -> None:
        super().__init__(tokens.keys)
        # Keys are removed once the last token of a user has expired.
        self._longest_s = min(MAX_LIFETIME_S, tokens.ttl_s)

    def issue(
        self,
        maker: SessionMaker,
        session_id: UUID,
        scopes: Collection[str],
        lifetime_s: int,
        before: float | None = None,
    ) -> tuple[str, int]:
        """Issue a token; return it, and when it expires, seconds since the epoch.

        Args:
            scopes: names of ``ALL_SCOPES``.
            before: when what it is made with expires, seconds since the epoch; None: never.
        """
        now = int(time.time())
        expires_at = now + min(lifetime_s, self._longest_s)
        if before is not None:
            expires_at = min(expires_at, int(before))
        claims: dict[str, Any] = {
            "sub": str(maker.user_id),
            "org": str(maker.organization_id),
            "sid": str(session_id),
            "scp": sorted(scopes),
            "jti": str(uuid4()),
            "gen": maker.generation,
        }
        if maker.key_id is not None:
            claims["key"] = str(maker.key_id)
        else:
            claims["tok"] = str(maker.token_id)
        return PREFIX + self._sign(claims, now, expires_at), expires_at

    def _read(self, claims: Mapping[str, Any], key_id: str) -> SessionClaims:
        scopes = claims["scp"]
        if (
            not isinstance(scopes, list)
            or not scopes
            or not all(isinstance(one, str) and one in ALL_SCOPES for one in scopes)
        ):
            raise ValueError("scp")
        if ("key" in claims) == ("tok" in claims):
            raise ValueError("made with a key or a token")
        maker = SessionMaker(
            UUID(claims["sub"]),
            UUID(claims["org"]),
            UUID(claims["tok"]) if "tok" in claims else None,
            read_generation(claims),
            UUID(claims["key"]) if "key" in claims else None,
        )
        ids = (UUID(claims["sid"]), UUID(claims["jti"]))
        return SessionClaims(maker, ids[0], tuple(scopes), ids[1], float(claims["exp"]), key_id)
