"""Errors of users, their logins and their roles."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from server.errors.meetra_error import MeetraError


class InvalidCredentials(MeetraError):
    """The email is unknown, the password wrong or the user disabled; the documented HTTP status is 400."""

    reason = "INVALID_CREDENTIALS"
    grpc_status = grpc.StatusCode.UNAUTHENTICATED
    http_status = 400

    def __init__(self) -> None:
        super().__init__("Invalid email or password")


class TooManyLogins(MeetraError):
    """The account or the address has to wait after failed logins, or too many passwords wait to be checked.

    Args:
        retry_after_s: how long to wait, seconds.
    """

    reason = "TOO_MANY_LOGINS"
    grpc_status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"Too many login attempts; try again in {retry_after_s} s")


class PermissionDenied(MeetraError):
    """The caller's role, the scopes of their key, or their session token do not allow the call.

    Args:
        role: of the caller.
        scopes: of the key; None if they showed a token.
    """

    reason = "PERMISSION_DENIED"
    grpc_status = grpc.StatusCode.PERMISSION_DENIED

    def __init__(self, role: str, scopes: Sequence[str] | None = None) -> None:
        message = f"Not allowed with the role {role}; ask an owner of your organization"
        if scopes is not None:
            message = f"Not allowed with a key of the scopes {', '.join(scopes)} and the role {role}"
        super().__init__(message, role=role)

    @classmethod
    def of_session(cls, role: str) -> PermissionDenied:
        """Return the error of a session token that opens another live meeting, or other methods of it.

        Args:
            role: of the user who made it.
        """
        error = cls(role)
        error.message = "Not allowed with this session token: it opens one live meeting, and what its scopes say"
        return error


class TooManyKeys(MeetraError):
    """The user has the limit of keys."""

    reason = "TOO_MANY_KEYS"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self, limit: int) -> None:
        super().__init__(f"This user has the limit of {limit} keys; revoke one first", limit=limit)


class KeyNotFound(MeetraError):
    """The caller has no such key, nor does the organization of an owner."""

    reason = "KEY_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("Key not found")


class UserNotFound(MeetraError):
    """The organization has no such user."""

    reason = "USER_NOT_FOUND"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("User not found")


class LastOwner(MeetraError):
    """The organization would be left without an enabled owner."""

    reason = "LAST_OWNER"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__("This is the organization's last enabled owner; make another user an owner first")


class AddressTaken(MeetraError):
    """The organization has a user of this address."""

    reason = "ADDRESS_TAKEN"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The organization has a user of this address already; change that one")


class UsersAddedByOperator(MeetraError):
    """The server has several organizations, none of which may learn of the addresses of others."""

    reason = "USERS_ADDED_BY_OPERATOR"
    grpc_status = grpc.StatusCode.FAILED_PRECONDITION
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            "This server has several organizations, and users are added by whoever runs it: meetra users add"
        )
