"""AuthService: login with a password for a token, and the end of tokens and passwords."""

from __future__ import annotations

from typing import Any

from grpc import aio
from meetra.v1 import access_pb2, auth_pb2_grpc
from meetra.v1 import auth_pb2 as pb

from server.api.credentials import MAX_EMAIL, validate_password
from server.api.metadata import client_address
from server.auth import Accounts, TokenKeys, current_caller
from server.errors import BadRequest

Context = aio.ServicerContext[Any, Any]


class AuthServicer(auth_pb2_grpc.AuthServiceServicer):
    """See proto/meetra/v1/auth.proto."""

    def __init__(self, accounts: Accounts, token_keys: TokenKeys) -> None:
        self._accounts = accounts
        self._token_keys = token_keys

    async def Login(self, request: pb.LoginRequest, context: Context) -> pb.LoginResponse:  # noqa: N802
        """See AuthService.Login."""
        if not request.email or len(request.email) > MAX_EMAIL:
            raise BadRequest("email", f"must be 1 to {MAX_EMAIL} characters")
        validate_password("password", request.password, 1)
        # No stored address contains a NUL, and PostgreSQL rejects it in text.
        email = request.email.replace("\x00", "")
        return pb.LoginResponse(token=await self._accounts.log_in(email, request.password, client_address(context)))

    async def ListTokenKeys(  # noqa: N802
        self, request: pb.ListTokenKeysRequest, context: Context
    ) -> pb.ListTokenKeysResponse:
        """See AuthService.ListTokenKeys."""
        del request, context
        return pb.ListTokenKeysResponse(keys=[pb.TokenKey(**key.jwk) for key in self._token_keys.current.keys])

    async def Logout(self, request: pb.LogoutRequest, context: Context) -> pb.LogoutResponse:  # noqa: N802
        """See AuthService.Logout."""
        await self._accounts.log_out(current_caller(), everywhere=request.everywhere)
        return pb.LogoutResponse()

    async def ChangePassword(  # noqa: N802
        self, request: pb.ChangePasswordRequest, context: Context
    ) -> pb.ChangePasswordResponse:
        """See AuthService.ChangePassword."""
        validate_password("current_password", request.current_password, 1)
        validate_password("new_password", request.new_password)
        token = await self._accounts.change_password(
            current_caller(), request.current_password, request.new_password, client_address(context)
        )
        return pb.ChangePasswordResponse(token=token)

    async def GetMe(self, request: pb.GetMeRequest, context: Context) -> pb.GetMeResponse:  # noqa: N802
        """See AuthService.GetMe."""
        del request, context
        caller = current_caller()
        found = await self._accounts.describe(caller)
        response = pb.GetMeResponse(
            user_id=str(caller.user_id),
            email=found.email,
            organization_id=str(caller.organization_id),
            organization_name=found.organization_name,
            role=caller.role,
        )
        response.rights.extend(access_pb2.Right.ValueType(right) for right in sorted(caller.rights))
        if caller.key_id is not None:
            key = pb.CallingKey(id=str(caller.key_id), name=found.key_name or "", scopes=caller.scopes or ())
            response.key.CopyFrom(key)
        return response
