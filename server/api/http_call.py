"""A plain HTTP request, as the code of gRPC's calls sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

import grpc
from grpc import aio
from starlette.responses import Response
from starlette.types import Scope

from server.api.header_call import HeaderCall
from server.api.rich_status import DETAILS_TRAILER
from server.errors import InternalError

# States the status to the gateway, which takes an error without it for one of gRPC or of its own.
STATUS_HEADER = "x-http-code"


class HttpAborted(aio.AbortError):
    """A request ended with an error; ``response`` is its answer."""

    def __init__(self, message: str, headers: dict[str, str]) -> None:
        super().__init__(message)
        self.response = error_response(int(headers[STATUS_HEADER]), message, headers)


class HttpCall(HeaderCall):
    """A request, with its headers."""

    def __init__(self, scope: Scope) -> None:
        super().__init__((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Iterable[tuple[str, str | bytes]] = ()
    ) -> NoReturn:
        """Raise HttpAborted with the status, reason and wait that the trailers name."""
        headers = {name: str(value) for name, value in trailing_metadata if name != DETAILS_TRAILER}
        raise HttpAborted(details, {**dict(InternalError().metadata()), **headers})


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error as every REST error looks: ``{"message": ...}``."""
    body = json.dumps({"message": message}, ensure_ascii=False)
    more = {**(headers or {}), STATUS_HEADER: str(status)}
    return Response(body, status, more, media_type="application/json")
