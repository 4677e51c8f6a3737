"""AuthService: login with a password for a token."""

from __future__ import annotations

from typing import Any

from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc

from server.auth import Passwords, Tokens
from server.errors import BadRequest, InvalidCredentials
from server.storage import Database, users

MAX_EMAIL = 320
MAX_PASSWORD = 1024


class AuthServicer(auth_pb2_grpc.AuthServiceServicer):
    """See proto/meetra/v1/auth.proto."""

    def __init__(self, database: Database, passwords: Passwords, tokens: Tokens) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens

    async def Login(  # noqa: N802
        self, request: auth_pb2.LoginRequest, context: aio.ServicerContext[Any, Any]
    ) -> auth_pb2.LoginResponse:
        """See AuthService.Login."""
        if not request.email or len(request.email) > MAX_EMAIL:
            raise BadRequest("email", f"must be 1 to {MAX_EMAIL} characters")
        if not request.password or len(request.password) > MAX_PASSWORD:
            raise BadRequest("password", f"must be 1 to {MAX_PASSWORD} characters")
        # No stored address contains a NUL, and PostgreSQL rejects it in text.
        email = request.email.strip().replace("\x00", "")
        user = await self._database.run(lambda connection: users.find_by_email(connection, email))
        if not await self._passwords.check(user.password_hash if user else None, request.password) or user is None:
            raise InvalidCredentials
        return auth_pb2.LoginResponse(token=self._tokens.issue(user.id, user.organization_id))
