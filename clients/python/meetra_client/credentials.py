"""The client's credentials: a given token, or one obtained with e-mail and password."""

from __future__ import annotations

import asyncio

from meetra_client.connection import Endpoint


class Credentials:
    """A token. One obtained with a password is renewed on expiry, even mid-meeting."""

    def __init__(self, endpoint: Endpoint, token: str | None, email: str | None, password: str | None) -> None:
        if (token is None) == (email is None or password is None):
            raise ValueError("pass either a token, or email and password")
        self._endpoint, self._token, self._email, self._password = endpoint, token, email, password
        self._login_lock = asyncio.Lock()

    @property
    def can_renew(self) -> bool:
        """Whether a new token can be obtained."""
        return self._password is not None

    async def token(self) -> str:
        """Return the token, after logging in if there is none.

        Raises InvalidCredentials or another MeetraError, and ConnectionLost.
        """
        async with self._login_lock:
            if self._token is None:
                assert self._email is not None
                assert self._password is not None
                self._token = await self._endpoint.login(self._email, self._password)
            return self._token

    def expire(self) -> None:
        """Discard a refused token; the next one is obtained with the password."""
        self._token = None
