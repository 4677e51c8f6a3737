"""The interceptor around every call: who may make it, the audit log, undecodable requests, errors as gRPC statuses."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import Any

import grpc
from grpc import aio
from meetra.v1 import access_pb2

from monitoring import continue_trace, current_trace_id, opened_trace, step
from privacy import add_log_context, replace_log_context
from server.api.access import OpenStream, OpenStreams, declared_rights, require_right, require_session_scope
from server.api.audit_rules import checked_address, checked_request_id, object_id, short_name
from server.api.call_rule import CallRule, declared_rule
from server.api.counted_call import CANCELLED, CountedCall
from server.api.decoding import require_all_decoded, require_decoded, wrap_deserializer
from server.api.open_calls import OpenCalls
from server.api.refusal_pace import RefusalPace
from server.api.rich_status import DETAILS_TRAILER, rich_status
from server.audio import StoreUnavailable
from server.audit import AuditedCall, AuditTrail, enter_call
from server.auth import Authenticator, Caller, set_caller
from server.disk import DiskFull
from server.errors import (
    InternalError,
    InvalidCredentials,
    MeetingNotFound,
    MeetraError,
    PermissionDenied,
    ServiceUnavailable,
    StorageFull,
    TooManyLogins,
    TooManyOpenCalls,
    Unauthenticated,
)
from server.monitoring import REFUSALS as REFUSAL_COUNT
from server.storage import DatabaseFull, DatabaseUnavailable, ReferenceDeleted

# gRPC's own services, health and reflection, need no authentication; the gateway lets only Health/Check through.
PUBLIC_PREFIX = "/grpc."
# Errors of callers who are not let in.
REFUSALS = (InvalidCredentials, PermissionDenied, TooManyLogins, TooManyOpenCalls, Unauthenticated)
log = logging.getLogger(__name__)

Context = aio.ServicerContext[Any, Any]
# Returns the request, or request stream, of a call. Raises BadRequest for an undecodable one.
Check = Callable[[Any], Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
# Yields its responses, or writes them to the context itself like the health service's Watch.
StreamBehaviour = Callable[[Any, Context], AsyncGenerator[Any, None] | Awaitable[None]]


class CallInterceptor(aio.ServerInterceptor):
    """Authenticate, permit, count and audit each non-public call, and map its exceptions to gRPC statuses.

    Args:
        rights_of: returns the rights of which a caller of a method needs one.
        pace: how often refused calls are looked at.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        open_calls: OpenCalls,
        open_streams: OpenStreams,
        trail: AuditTrail,
        rights_of: Callable[[str], frozenset[int]] = declared_rights,
        pace: RefusalPace | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._open_calls = open_calls
        self._open_streams = open_streams
        self._trail = trail
        self._rights_of = rights_of
        self._pace = pace or RefusalPace()
        self.last_call_at = float("-inf")
        """When the last call began, by the monotonic clock, over whichever transport."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wrap the method's handler with authentication, decoding checks and error mapping."""
        handler = await continuation(handler_call_details)
        method: str = handler_call_details.method
        if handler is None:
            return None
        rule = declared_rule(method, self._rights_of)
        check = require_all_decoded if handler.request_streaming else require_decoded
        codec = {
            "request_deserializer": wrap_deserializer(method, handler.request_deserializer),
            "response_serializer": handler.response_serializer,
        }
        if handler.response_streaming:
            streamed = self._guard_stream(rule, check, handler.stream_stream or handler.unary_stream)
            if handler.request_streaming:
                return grpc.stream_stream_rpc_method_handler(streamed, **codec)
            return grpc.unary_stream_rpc_method_handler(streamed, **codec)
        if handler.request_streaming:
            received = self._guard(rule, check, handler.stream_unary, streams=True)
            return grpc.stream_unary_rpc_method_handler(received, **codec)
        single = self._guard(rule, check, handler.unary_unary, streams=False)
        return grpc.unary_unary_rpc_method_handler(single, **codec)

    def guard_stream(self, method: str, behaviour: StreamBehaviour) -> StreamBehaviour:
        """Return a method that streams both ways as callers get it, over whichever transport."""
        return self._guard_stream(declared_rule(method, self._rights_of), require_all_decoded, behaviour)

    def guard_http(self, rule: CallRule, behaviour: Behaviour, *, streams: bool) -> Behaviour:
        """Return what answers plain HTTP requests as callers get it; it is given whatever the call is made of."""
        return self._guard(rule, lambda exchange: exchange, behaviour, streams=streams)

    def _guard(self, rule: CallRule, check: Check, behaviour: Behaviour, *, streams: bool) -> Behaviour:
        async def run(request: Any, context: Context) -> Any:
            self.last_call_at = time.monotonic()
            counted = CountedCall(rule.name, streams=streams)
            audited = self._audited(rule, context)
            try:
                caller = await self._admit(rule, context, audited, streams=streams)
                with self._paced(rule, caller), self._watched(rule, caller if streams else None):
                    checked = check(request)
                    audited.concern(object_id(rule.audit, request))
                    await audited.begin()
                    response = await behaviour(checked, context)
                    audited.concern(object_id(rule.audit, response))
                    await audited.end()
                counted.end(grpc.StatusCode.OK.name)
                return response
            except Exception as error:
                return await _abort(rule.name, error, context, audited, counted)
            except BaseException:
                audited.cut()
                raise
            finally:
                counted.end(CANCELLED)

        async def call(request: Any, context: Context) -> Any:
            if streams:
                return await run(request, context)
            continue_trace(context.invocation_metadata() or ())
            with step(short_name(rule.name)):
                return await run(request, context)

        return call

    def _guard_stream(self, rule: CallRule, check: Check, behaviour: StreamBehaviour) -> StreamBehaviour:
        async def call(request: Any, context: Context) -> AsyncGenerator[Any, None]:
            self.last_call_at = time.monotonic()
            counted = CountedCall(rule.name, streams=True)
            audited = self._audited(rule, context)
            try:
                caller = await self._admit(rule, context, audited, streams=True)
                with self._paced(rule, caller), self._watched(rule, caller) as stream:
                    checked = check(request)
                    audited.concern(object_id(rule.audit, request))
                    await audited.begin()
                    result = behaviour(checked, context)
                    if inspect.isawaitable(result):
                        await result
                        counted.end(grpc.StatusCode.OK.name)
                        return
                    # Closed with the call, however it ends, so that the stream's resources are released at once.
                    async with aclosing(result) as responses:
                        async for response in responses:
                            audited.concern(object_id(rule.audit, response))
                            # A stream is what happened when it starts; an export, when all of it is sent.
                            if audited.action != "export":
                                await audited.end()
                            with stream.write() if stream else nullcontext():
                                yield response
                    await audited.end()
                counted.end(grpc.StatusCode.OK.name)
            except Exception as error:
                await _abort(rule.name, error, context, audited, counted)
            except BaseException:
                audited.cut()
                raise
            finally:
                counted.end(CANCELLED)

        return call

    def _audited(self, rule: CallRule, context: Context) -> AuditedCall:
        """Return what the audit log will say of a call that begins, and set it as the current one."""
        request_id = checked_request_id(context)
        replace_log_context(request=request_id, trace=current_trace_id())
        audited = AuditedCall(
            self._trail,
            method=short_name(rule.name),
            action=rule.audit.action,
            object_kind=rule.audit.object_kind,
            address=checked_address(context),
            request_id=request_id,
        )
        enter_call(audited)
        return audited

    async def _admit(self, rule: CallRule, context: Context, audited: AuditedCall, *, streams: bool) -> Caller | None:
        """Return who calls, None for a public method.

        Raises Unauthenticated, PermissionDenied, TooManyOpenCalls, and what calls like it are refused with too often.
        """
        if access_pb2.RIGHT_NO_TOKEN in rule.rights or rule.name.startswith(PUBLIC_PREFIX):
            return None
        if not streams:
            return await self._let_in(rule, context, audited, streams=False)
        # No span lasts as long as a stream: what it does belongs to the trace that begins here.
        with opened_trace(f"{short_name(rule.name)} begins", context.invocation_metadata() or ()):
            add_log_context(trace=current_trace_id())
            return await self._let_in(rule, context, audited, streams=True)

    async def _let_in(self, rule: CallRule, context: Context, audited: AuditedCall, *, streams: bool) -> Caller:
        caller = await self._authenticator.authenticate(context.invocation_metadata() or ())
        add_log_context(organization=caller.organization_id)
        audited.identify(caller.organization_id, caller.user_id, caller.role, caller.key_id)
        require_session_scope(caller, rule.session_scope)
        require_right(caller, rule.rights)
        self._open_calls.enter(caller, context, streams=streams)
        await self._pace.keep(caller.organization_id, rule.name)
        set_caller(caller)
        return caller

    def _paced(self, rule: CallRule, caller: Caller | None) -> AbstractContextManager[None]:
        """Return the context of a call whose refusals slow down the next ones of its organization."""
        return self._pace.refusals_of(caller.organization_id, rule.name) if caller else nullcontext()

    def _watched(self, rule: CallRule, caller: Caller | None) -> AbstractContextManager[OpenStream | None]:
        """Return the context of a stream, which ends once its caller may no longer hold it."""
        return self._open_streams.hold(caller, rule.rights) if caller else nullcontext()


async def _abort(method: str, error: Exception, context: Context, audited: AuditedCall, counted: CountedCall) -> Any:
    """Abort the call with the status of ``error``, which the audit log has before."""
    if isinstance(error, aio.AbortError):
        counted.end(grpc.StatusCode.ABORTED.name)
        raise error
    public_error = _to_public_error(error)
    counted.end(public_error.grpc_status.name)
    REFUSAL_COUNT.labels(public_error.reason).inc()
    if isinstance(public_error, InternalError):
        # Callers do not see the stack trace; the log keeps it.
        log.error("%s failed", method, exc_info=error)
    try:
        await audited.end(public_error.reason, refused=isinstance(public_error, REFUSALS))
    except DatabaseUnavailable:
        log.warning("the database takes no audit event of a failed call")
    status = rich_status(public_error)
    details = (DETAILS_TRAILER, status.SerializeToString())
    return await context.abort(
        public_error.grpc_status, status.message, trailing_metadata=(*public_error.metadata(), details)
    )


def _to_public_error(error: Exception) -> MeetraError:
    """Map ``error`` to the error that callers see."""
    if isinstance(error, MeetraError):
        return error
    if isinstance(error, DiskFull | DatabaseFull):
        log.error("%s", error)
        return StorageFull()
    if isinstance(error, DatabaseUnavailable):
        return ServiceUnavailable()
    if isinstance(error, StoreUnavailable):
        log.warning("%s", error)
        return ServiceUnavailable()
    if isinstance(error, ReferenceDeleted) and error.entity in ("user", "organization"):
        return Unauthenticated()
    if isinstance(error, ReferenceDeleted) and error.entity == "meeting":
        return MeetingNotFound()
    return InternalError()
