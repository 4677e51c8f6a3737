"""Traces over processes, in OpenTelemetry's terms: short spans for calls, steps and batches.

Without ``OTEL_EXPORTER_OTLP_ENDPOINT`` nothing is recorded and the SDK is not even imported. A trace that a caller
began is passed on all the same, so that logs name it. A span holds names and ids: never what an exception says.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ENDPOINT, PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
HEADER = "traceparent"
DEFAULT_PORT = 4317
STOP_WITHIN_S = 3.0
_W3C = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("meetra")


class TracingUnavailable(Exception):
    """Traces cannot be sent as set; the message names the setting and the fix."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Who takes traces, over gRPC, and how many."""

    host: str
    port: int
    tls: bool
    percent: float
    """Of new traces that are recorded, 0..100."""


def otlp_collector(environment: Mapping[str, str] = os.environ) -> Collector | None:
    """Return the collector that OpenTelemetry's standard settings name; None without one. Raises TracingUnavailable."""
    endpoint = environment.get(ENDPOINT, "").strip()
    if not endpoint:
        return None
    try:
        parts = urlsplit(endpoint)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TracingUnavailable(f"{ENDPOINT}: give a URL such as http://127.0.0.1:{DEFAULT_PORT}")
    if environment.get(PROTOCOL, "grpc").strip() != "grpc":
        raise TracingUnavailable(f"{PROTOCOL}: only grpc is spoken, which collectors take at port {DEFAULT_PORT}")
    return Collector(parts.hostname, port, parts.scheme == "https", _percent(environment))


def _percent(environment: Mapping[str, str]) -> float:
    """Return the share of new traces that ``OTEL_TRACES_SAMPLER`` selects, percent."""
    sampler = environment.get("OTEL_TRACES_SAMPLER", "").strip().removeprefix("parentbased_")
    if sampler == "always_off":
        return 0.0
    if sampler != "traceidratio":
        return 100.0
    try:
        return 100 * min(1.0, max(0.0, float(environment.get("OTEL_TRACES_SAMPLER_ARG", "1"))))
    except ValueError:
        raise TracingUnavailable("OTEL_TRACES_SAMPLER_ARG: give a share, 0 to 1") from None


def start_tracing(process: str) -> Callable[[], None]:
    """Record spans from now on and send them, if ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set; return what ends that.

    The other standard settings of OpenTelemetry count as well. Spans that the collector does not take are dropped;
    nothing waits for it. Ending sends what is left, within seconds.

    Args:
        process: such as ``api``; the service is ``meetra-api``, unless ``OTEL_SERVICE_NAME`` says otherwise.

    Raises TracingUnavailable.
    """
    if otlp_collector() is None:
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TracingUnavailable(
            f"{ENDPOINT} is set, and the packages that send traces are not installed: `make install`, or"
            " `pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-grpc`"
        ) from None
    name = os.environ.get("OTEL_SERVICE_NAME") or f"meetra-{process}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)

    def stop() -> None:
        # A collector that hangs holds up no stop.
        ending = threading.Thread(target=provider.shutdown, name="send the last spans", daemon=True)
        ending.start()
        ending.join(STOP_WITHIN_S)

    return stop


def current_traceparent() -> str:
    """Return the current trace as the header ``traceparent``; empty where there is none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get(HEADER, "")


def trace_metadata() -> tuple[tuple[str, str], ...]:
    """Return the metadata with which a gRPC call belongs to the current trace."""
    header = current_traceparent()
    return ((HEADER, header),) if header else ()


def continue_trace(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Continue the trace that a call's metadata names, for the rest of the current task; return its id or nothing.

    What is no header of the W3C's form is ignored, and so is one that comes twice.
    """
    contexts.attach(_named_in(metadata))
    return current_trace_id()


@contextmanager
def opened_trace(name: str, metadata: Iterable[tuple[str, str | bytes]]) -> Iterator[None]:
    """Begin a trace with what runs in this context as its first span; the current task goes on with it afterwards.

    For streams, which last longer than any span should. The trace that the metadata names is linked.
    """
    caller = trace.get_current_span(_named_in(metadata)).get_span_context()
    links = [Link(caller)] if caller.is_valid else []
    span = _tracer.start_span(name, contexts.Context(), links=links)
    contexts.attach(trace.set_span_in_context(NonRecordingSpan(span.get_span_context()), contexts.Context()))
    with _ended(span):
        yield


@contextmanager
def continued_trace(header: str) -> Iterator[str]:
    """Continue the trace of a header ``traceparent`` in this context; yield its id, or nothing where it is none."""
    token = contexts.attach(_of(header))
    try:
        yield current_trace_id()
    finally:
        contexts.detach(token)


def current_trace_id() -> str:
    """Return the id of the current trace, 32 hexadecimal digits; empty where there is none."""
    found = trace.get_current_span().get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else ""


@contextmanager
def step(name: str, **attributes: str | int) -> Iterator[None]:
    """Record what runs in this context as a span of the current trace, or as the first of a new one.

    Only for what takes seconds at most: no stream. An exception makes it a failed one, by its type alone.

    Args:
        attributes: ids and numbers, by name; nothing that people said or wrote.
    """
    span = _tracer.start_span(name, attributes={f"meetra.{key}": value for key, value in attributes.items()})
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def describe_step(**attributes: str | int) -> None:
    """Add ids or numbers to the step that runs."""
    trace.get_current_span().set_attributes({f"meetra.{key}": value for key, value in attributes.items()})


def origin() -> SpanContext:
    """Return where the work of the current task belongs, for ``batch``."""
    return trace.get_current_span().get_span_context()


@contextmanager
def batch(name: str, origins: Sequence[SpanContext]) -> Iterator[None]:
    """Record work for many as one span: of the trace of the first of them, linked to the others.

    Nothing is recorded for work that belongs to no trace.
    """
    known = list({found.span_id: found for found in origins if found.is_valid}.values())
    if not known:
        yield
        return
    parent = trace.set_span_in_context(NonRecordingSpan(known[0]), contexts.Context())
    links = [Link(found) for found in known[1:]]
    span = _tracer.start_span(name, parent, attributes={"meetra.items": len(origins)}, links=links)
    with _ended(span):
        yield


@contextmanager
def _ended(span: trace.Span) -> Iterator[None]:
    """End a span with this context; an exception is told by its type alone."""
    try:
        yield
    except BaseException as error:
        span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        span.end()


def _named_in(metadata: Iterable[tuple[str, str | bytes]]) -> contexts.Context:
    found = [value for name, value in metadata if name == HEADER and isinstance(value, str)]
    return _of(found[0] if len(found) == 1 else "")


def _of(header: str) -> contexts.Context:
    """Return a context with the trace of a header, or with none."""
    return _W3C.extract({HEADER: header} if header else {}, contexts.Context())
