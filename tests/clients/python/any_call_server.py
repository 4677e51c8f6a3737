"""A real gRPC server that takes every call of meetra.v1, and answers with an empty message or as it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from grpc import StatusCode, aio

from server.api.public_services import public_services

PUBLIC_SERVICES = {service.full_name: service for service in public_services()}


class AnyCallServer(grpc.GenericRpcHandler):
    """Answers calls and notes them; ``answers`` holds what a method says in turn, the last one for ever."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.authorized: list[str] = []
        self.sizes: list[str] = []
        """`x-content-length` of each call; empty without."""
        self.requests: list[Message] = []
        self.failures: list[StatusCode] = []
        """The next calls fail with these."""
        self.answers: dict[str, list[Message]] = defaultdict(list)
        self.tokens: set[str] | None = None
        """Others are refused; None: all are taken."""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """See grpc.GenericRpcHandler."""
        method = descriptor_pool.Default().FindMethodByName(details.method.strip("/").replace("/", "."))
        request = message_factory.GetMessageClass(method.input_type)
        make: Callable[..., Any] = getattr(grpc, _KINDS[method.client_streaming, method.server_streaming])
        handler = self._streaming(method) if method.server_streaming else self._single(method)
        return make(handler, request.FromString, lambda message: message.SerializeToString())

    def _single(self, method: MethodDescriptor) -> Any:
        async def handle(request: Any, context: Any) -> Message:
            await self._note(method, request, context)
            return self._answer(method)

        return handle

    def _streaming(self, method: MethodDescriptor) -> Any:
        async def handle(request: Any, context: Any) -> AsyncIterator[Message]:
            await self._note(method, request, context)
            yield self._answer(method)

        return handle

    def _answer(self, method: MethodDescriptor) -> Message:
        answers = self.answers[method.name]
        if not answers:
            return message_factory.GetMessageClass(method.output_type)()
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def _note(self, method: MethodDescriptor, request: Any, context: Any) -> None:
        metadata = dict(context.invocation_metadata())
        self.called.append(f"{method.containing_service.full_name}/{method.name}")
        self.authorized.append(metadata.get("authorization", ""))
        self.sizes.append(metadata.get("x-content-length", ""))
        if self.failures:
            await context.abort(self.failures.pop(0), "as it was told")
        known = self.tokens is None or self.authorized[-1].removeprefix("Bearer ") in self.tokens
        if not known and method.name != "Login":
            await context.abort(StatusCode.UNAUTHENTICATED, "the token has expired")
        self.requests += [each async for each in request] if method.client_streaming else [request]


_KINDS = {
    (False, False): "unary_unary_rpc_method_handler",
    (False, True): "unary_stream_rpc_method_handler",
    (True, False): "stream_unary_rpc_method_handler",
    (True, True): "stream_stream_rpc_method_handler",
}


async def start(servicer: AnyCallServer) -> tuple[aio.Server, str]:
    """Return the running server and its address."""
    server = aio.server()
    server.add_generic_rpc_handlers((servicer,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, f"http://127.0.0.1:{port}"
