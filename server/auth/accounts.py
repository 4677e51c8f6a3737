"""What a user does with their own account: log in, log out, change the password."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from server.audit import current_call
from server.auth.caller import ApiKey, Caller
from server.auth.external_issuer import ExternalToken
from server.auth.passwords import Passwords
from server.auth.session_tokens import SessionClaims
from server.auth.throttle import LoginThrottle
from server.auth.tokens import Claims, Tokens
from server.auth.user_watch import UserWatch
from server.errors import InvalidCredentials, Unauthenticated
from server.storage import Database, User, UserInOrganization, users

log = logging.getLogger(__name__)


class Accounts:
    """Check passwords, and issue and void tokens."""

    def __init__(
        self, database: Database, passwords: Passwords, tokens: Tokens, throttle: LoginThrottle, watch: UserWatch
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._throttle = throttle
        self._watch = watch

    async def log_in(self, email: str, password: str, address: str | None) -> str:
        """Return a token for whoever has the password.

        Args:
            email: in any case.
            address: IP address of the caller; None if it is unknown.

        Raises InvalidCredentials for an unknown or disabled user and a wrong password, after the same time, and
        TooManyLogins.
        """
        account = email.strip().lower()
        self._throttle.require(account, address)
        user = await self._database.run(lambda c: users.find_by_email(c, account))
        audited = current_call()
        if audited is not None and user is not None:
            audited.claim(user.organization_id, user.id)
        async with self._passwords.turn(self._throttle.caller(account, address)):
            await self._check(account, user, password, address)
        if user is None:
            raise InvalidCredentials
        if audited is not None:
            audited.identify(user.organization_id, user.id, user.role)
        return self._tokens.issue(user.id, user.token_generation)

    async def describe(self, caller: Caller) -> UserInOrganization:
        """Return who the caller is. Raises Unauthenticated if they were deleted meanwhile."""
        found = await self._database.run(
            lambda c: users.describe(c, caller.organization_id, caller.user_id, caller.key_id),
            organization_id=caller.organization_id,
        )
        if found is None:
            raise Unauthenticated
        return found

    async def log_out(self, caller: Caller, *, everywhere: bool) -> None:
        """Void the caller's token, or all tokens of theirs."""
        if everywhere:
            await self._database.run(
                lambda c: users.void_tokens(c, caller.organization_id, caller.user_id),
                organization_id=caller.organization_id,
            )
        else:
            token = _token_of(caller)
            expires_at = datetime.fromtimestamp(token.expires_at, UTC)
            await self._database.run(
                lambda c: users.log_out(c, caller.organization_id, caller.user_id, token.token_id, expires_at),
                organization_id=caller.organization_id,
            )
        await self._watch.changed(caller.user_id)

    async def change_password(self, caller: Caller, current: str, new: str, address: str | None) -> str:
        """Set a new password, which voids all tokens of the caller, and return a new token.

        Raises InvalidCredentials for a wrong current password, TooManyLogins, and Unauthenticated if the caller's token
        becomes void meanwhile.
        """
        user = await self._database.run(lambda c: users.find(c, caller.user_id), organization_id=caller.organization_id)
        if user is None:
            raise Unauthenticated
        self._throttle.require(user.email, address)
        async with self._passwords.turn(user.id):
            await self._check(user.email, user, current, address)
            hashed = await self._passwords.hash(new)
        token = _token_of(caller)
        # An external token has no generation of its own; that it is not void was seen when the call came.
        shown = token.generation if isinstance(token, Claims) else user.token_generation
        generation = await self._database.run(
            lambda c: users.set_password(c, user.organization_id, user.id, shown, hashed),
            organization_id=user.organization_id,
        )
        if generation is None:
            raise Unauthenticated
        await self._watch.changed(user.id)
        return self._tokens.issue(user.id, generation)

    async def _check(self, account: str, user: User | None, password: str, address: str | None) -> None:
        """Check a password, and note the outcome. Raises InvalidCredentials, TooManyLogins."""
        # Once more: others may have failed while this one waited for its turn.
        self._throttle.require(account, address)
        matches = await self._passwords.check(user.password_hash if user else None, password)
        if user is not None and matches and not user.disabled:
            self._throttle.succeeded(account, address)
            return
        self._throttle.failed(account, address)
        # An unknown address is not written down: people type passwords there.
        reason = "unknown email" if user is None else f"user {user.id}, {'disabled' if matches else 'wrong password'}"
        log.warning("login failed: %s; from %s", reason, address or "an unknown address")
        raise InvalidCredentials


def _token_of(caller: Caller) -> Claims | ExternalToken:
    """Return the caller's token. Raises Unauthenticated for what opens no method of accounts."""
    if isinstance(caller.credential, ApiKey | SessionClaims):
        raise Unauthenticated
    return caller.credential
