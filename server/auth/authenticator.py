"""Authentication of a call by its metadata."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from server.auth.caller import ApiKey, Caller
from server.auth.external_issuer import ExternalIssuer, ExternalToken
from server.auth.session_tokens import PREFIX, SessionClaims, SessionTokens
from server.auth.tokens import Claims, Tokens
from server.errors import Unauthenticated
from server.storage import (
    Connection,
    Database,
    KeyUser,
    TokenUser,
    external_users,
    keys,
    organizations,
    session_tokens,
    users,
)

# A busy client costs one query per five seconds instead of one per call. Changes of users are announced to every
# process (user_watch.py); this is the bound for one to which the announcement did not come.
REMEMBERED_S = 5.0
MAX_REMEMBERED = 10_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Remembered:
    user_id: UUID
    user: TokenUser | KeyUser
    until: float


Credential = Claims | ApiKey | ExternalToken | SessionClaims


async def find_user(connection: Connection, credential: Credential) -> TokenUser | KeyUser | None:
    """Return to whom a token or key gives access now; None if it is void."""
    if isinstance(credential, ApiKey):
        return await keys.find_user(connection, credential.secret_hash)
    if isinstance(credential, ExternalToken):
        return await external_users.find(
            connection, credential.email, credential.token_id, credential.issued_at, credential.organization
        )
    if isinstance(credential, SessionClaims):
        maker = credential.maker
        return await session_tokens.find_user(connection, maker.user_id, maker.token_id, maker.generation, maker.key_id)
    return await users.find_by_token(connection, credential.user_id, credential.token_id, credential.generation)


class Authenticator:
    """Validate bearer tokens, session tokens and API keys, and find out to whom they give access now.

    Args:
        external: the issuer whose tokens count beside ours.
    """

    def __init__(self, tokens: Tokens, database: Database, external: ExternalIssuer | None = None) -> None:
        self._tokens = tokens
        self.session_tokens = SessionTokens(tokens)
        """Issues those that count."""
        self._external = external
        self._database = database
        self._remembered: OrderedDict[UUID | bytes, _Remembered] = OrderedDict()
        # Rises with each change: what was read before one is not remembered after it.
        self._changes = 0

    async def authenticate(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller:
        """Authenticate ``authorization: Bearer <token>`` in the metadata and return the caller.

        Raises Unauthenticated.
        """
        values = [value for key, value in metadata if key.lower() == "authorization"]
        if len(values) != 1 or not isinstance(values[0], str):
            raise Unauthenticated
        scheme, _, token = values[0].partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated
        credential = await self._credential(token.strip())
        try:
            return await self.caller_of(credential)
        except Unauthenticated:
            if not isinstance(credential, ExternalToken):
                raise
            return await self._welcome(credential)

    async def _credential(self, shown: str) -> Credential:
        """Return what was shown, once it is valid. Raises Unauthenticated."""
        if shown.startswith(ApiKey.PREFIX):
            return ApiKey.of(shown)
        if shown.startswith(PREFIX):
            return self.session_tokens.validate(shown.removeprefix(PREFIX))
        # Who claims to have issued a token decides whose keys verify it, and nobody else's do.
        if self._external is not None and self._external.is_named_in(shown):
            return await self._external.validate(shown)
        return self._tokens.validate(shown)

    async def _welcome(self, token: ExternalToken) -> Caller:
        """Make the user whom a valid external token names, if that is wanted. Raises Unauthenticated."""
        assert self._external is not None
        rules = self._external.rules
        if not rules.new_user_role:
            self._external.log_refusal("no user has the address, or the token is void")
            raise Unauthenticated
        organization_id = await self._database.run(lambda c: organizations.find_named(c, rules.organization))
        if organization_id is None:
            self._external.log_refusal("the organization of new users does not exist; make it with `meetra users add`")
            raise Unauthenticated
        user_id = await self._database.run(
            lambda c: external_users.add(c, organization_id, token.email, rules.new_user_role),
            organization_id=organization_id,
        )
        if user_id is not None:
            log.info("user %s was made on first sight of a token of the external issuer", user_id)
        try:
            # Also where another call has just made the user.
            return await self.caller_of(token)
        except Unauthenticated:
            self._external.log_refusal("another organization's user has the address, or the token is void")
            raise

    async def caller_of(self, credential: Credential) -> Caller:
        """Return the caller to whom a credential gives access now. Raises Unauthenticated.

        A token counts whether or not it has expired, a key does not.
        """
        if isinstance(credential, Claims) and self._tokens.is_void(credential):
            raise Unauthenticated
        session = credential if isinstance(credential, SessionClaims) else None
        if session is not None and self.session_tokens.is_void(session):
            raise Unauthenticated
        user = await self._user_of(credential)
        if user is None or (session is not None and session.maker.organization_id != user.organization_id):
            raise Unauthenticated
        key = user if isinstance(user, KeyUser) else None
        return Caller(
            user.user_id,
            user.organization_id,
            credential,
            user.role,
            scopes=key.scopes if key else None,
            key_id=key.key_id if key else None,
        )

    async def forget(self, changed: Collection[UUID] | None) -> None:
        """Forget what is remembered of these users; None: of all."""
        self._changes += 1
        if changed is None:
            self._remembered.clear()
            return
        for name in [name for name, known in self._remembered.items() if known.user_id in changed]:
            del self._remembered[name]

    async def _user_of(self, credential: Credential) -> TokenUser | KeyUser | None:
        now, changes = time.monotonic(), self._changes
        name = credential.secret_hash if isinstance(credential, ApiKey) else credential.token_id
        known = self._remembered.get(name)
        if known is not None and known.until > now:
            return known.user
        user = await self._database.run(lambda c: find_user(c, credential))
        # What is nobody's is not remembered: strangers could fill the memory with it.
        if user is not None and changes == self._changes:
            self._remembered[name] = _Remembered(user.user_id, user, now + REMEMBERED_S)
            self._remembered.move_to_end(name)
            while len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return user
