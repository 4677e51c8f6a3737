"""Around every call of ours: who calls, and errors as types turned into statuses."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc import aio

from server.auth.authenticator import Authenticator
from server.auth.caller import set_caller
from server.errors import DatabaseUnavailable, MeetraError
from server.storage.pool import DatabaseGone

OUR_PREFIX = "/meetra."
PUBLIC_METHODS = frozenset({"/meetra.v1.AuthService/Login"})
log = logging.getLogger(__name__)

Behaviour = Callable[[Any, "aio.ServicerContext[Any, Any]"], Awaitable[Any]]


class CallInterceptor(aio.ServerInterceptor):
    """Authenticates each call but the public ones and maps what it raises to gRPC statuses."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method: str = handler_call_details.method
        if handler is None or not method.startswith(OUR_PREFIX):
            return handler
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.response_streaming:
            raise TypeError(f"{method}: answers that stream need a wrapper of their own")
        if handler.request_streaming:
            return grpc.stream_unary_rpc_method_handler(self._guarded(method, handler.stream_unary), **codec)
        return grpc.unary_unary_rpc_method_handler(self._guarded(method, handler.unary_unary), **codec)

    def _guarded(self, method: str, behaviour: Behaviour) -> Behaviour:
        async def call(request: Any, context: aio.ServicerContext[Any, Any]) -> Any:
            try:
                if method not in PUBLIC_METHODS:
                    set_caller(await self._authenticator.caller(context.invocation_metadata() or ()))
                return await behaviour(request, context)
            except MeetraError as error:
                failure = error
            except DatabaseGone:
                failure = DatabaseUnavailable()
            except aio.AbortError:
                raise
            except Exception:
                # The stack is for us; the caller learns only that it was not their fault.
                log.exception("%s failed", method)
                return await context.abort(grpc.StatusCode.INTERNAL, "Internal error")
            return await context.abort(failure.grpc_status, failure.message, trailing_metadata=failure.metadata())

        return call
