"""A cap on the calls that one user, and one organization, have open at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from grpc import aio

from server.auth import Caller
from server.errors import TooManyOpenCalls


@dataclass(frozen=True, slots=True)
class OpenCallLimits:
    """Calls open at once in this process; streams and single calls are counted apart."""

    user: int
    organization: int


class OpenCalls:
    """The open calls of all callers of this process."""

    def __init__(self, limits: OpenCallLimits) -> None:
        self._limits = limits
        # By owner and whether the call streams; an owner is a user or an organization.
        self._open: Counter[tuple[UUID, bool]] = Counter()

    def enter(self, caller: Caller, context: aio.ServicerContext[Any, Any], *, streams: bool) -> None:
        """Count the call of ``context`` until its last byte is sent. Raises TooManyOpenCalls.

        Its handler may end long before: a client that does not read keeps its answer, and its place at the gateway.
        """
        owners = (
            ("user", caller.user_id, self._limits.user),
            ("organization", caller.organization_id, self._limits.organization),
        )
        for scope, owner, limit in owners:
            if self._open[owner, streams] >= limit:
                raise TooManyOpenCalls(scope, limit, streams=streams)
        keys = [(owner, streams) for _, owner, _ in owners]
        self._open.update(keys)

        def leave(_: aio.ServicerContext[Any, Any]) -> None:
            for key in keys:
                self._open[key] -= 1
                if not self._open[key]:
                    del self._open[key]

        # The type stubs know only callables of a class of their own.
        context.add_done_callback(cast(Any, leave))
