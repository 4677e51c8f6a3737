"""UserService: the users of an organization, for its owners."""

from __future__ import annotations

from typing import Any

from grpc import aio
from meetra.v1 import users_pb2 as pb
from meetra.v1 import users_pb2_grpc

from server.api.credentials import validate_new_email, validate_password
from server.api.validation import page_of, parse_page_token, parse_uuid, validate_page_size
from server.auth import Members, current_caller
from server.errors import BadRequest
from server.moments import utc_text
from server.storage import ROLES, ListedUser

DEFAULT_ROLE = "member"
Context = aio.ServicerContext[Any, Any]


class UserServicer(users_pb2_grpc.UserServiceServicer):
    """See proto/meetra/v1/users.proto."""

    def __init__(self, members: Members) -> None:
        self._members = members

    async def ListUsers(self, request: pb.ListUsersRequest, context: Context) -> pb.ListUsersResponse:  # noqa: N802
        """See UserService.ListUsers."""
        size = validate_page_size(request.page_size)
        found = await self._members.list_page(current_caller(), size + 1, parse_page_token(request.page_token))
        page, token = page_of(found, size)
        return pb.ListUsersResponse(users=map(user_message, page), next_page_token=token)

    async def AddUser(self, request: pb.AddUserRequest, context: Context) -> pb.AddUserResponse:  # noqa: N802
        """See UserService.AddUser."""
        email = validate_new_email(request.email)
        password = validate_password("password", request.password)
        role = request.role or DEFAULT_ROLE
        _require_role(role)
        user = await self._members.add(current_caller(), email, password, role)
        return pb.AddUserResponse(user=user_message(user))

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Context) -> pb.UpdateUserResponse:  # noqa: N802
        """See UserService.UpdateUser."""
        id_ = parse_uuid("id", request.id)
        if request.HasField("role"):
            _require_role(request.role)
        user = await self._members.update(
            current_caller(),
            id_,
            request.role if request.HasField("role") else None,
            request.disabled if request.HasField("disabled") else None,
        )
        return pb.UpdateUserResponse(user=user_message(user))

    async def DeleteUser(self, request: pb.DeleteUserRequest, context: Context) -> pb.DeleteUserResponse:  # noqa: N802
        """See UserService.DeleteUser."""
        await self._members.delete(current_caller(), parse_uuid("id", request.id))
        return pb.DeleteUserResponse()


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise BadRequest("role", f"must be one of {', '.join(ROLES)}")


def user_message(user: ListedUser) -> pb.User:
    """Return a user as callers see them."""
    return pb.User(
        id=str(user.id),
        email=user.email,
        role=user.role,
        disabled=user.disabled,
        created_at=utc_text(user.created_at),
    )
