"""A collector of traces that keeps what it is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb

PATIENCE_S = 120


@dataclass(frozen=True)
class SentSpan:
    """A span as it came."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    """Ids of spans."""
    attributes: dict[str, str]
    failed: str
    """What its status says; empty unless it failed."""
    seconds: float


@dataclass
class Collector:
    """Where it listens, and what came."""

    address: str
    spans: list[SentSpan] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """The requests, as texts: nothing may be in them that nobody should read."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def settings(self) -> dict[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.address}", "OTEL_BSP_SCHEDULE_DELAY": "200"}

    def until(self, found: Callable[[list[SentSpan]], bool]) -> list[SentSpan]:
        """The spans, once they are as is wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with self.lock:
                spans = list(self.spans)
            if found(spans):
                return spans
            assert time.monotonic() < deadline, sorted({(span.service, span.name) for span in spans})
            time.sleep(0.1)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector("")

    def export(request: pb.ExportTraceServiceRequest, context: Any) -> pb.ExportTraceServiceResponse:
        sent = [span for resource in request.resource_spans for span in _spans_of(resource)]
        with collector.lock:
            collector.spans += sent
            collector.texts.append(str(request))
        return pb.ExportTraceServiceResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        export,
        request_deserializer=pb.ExportTraceServiceRequest.FromString,
        response_serializer=pb.ExportTraceServiceResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(4))
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield collector
    server.stop(None).wait()


def _spans_of(resource: Any) -> Iterator[SentSpan]:
    of_process = _texts(resource.resource.attributes)
    for scope in resource.scope_spans:
        for span in scope.spans:
            yield SentSpan(
                of_process["service.name"],
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                tuple(link.span_id.hex() for link in span.links),
                _texts(span.attributes),
                (span.status.message or "failed") if span.status.code == 2 else "",
                (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
            )


def _texts(attributes: Any) -> dict[str, str]:
    return {one.key: str(getattr(one.value, one.value.WhichOneof("value") or "string_value")) for one in attributes}
