"""MetricService: what the numbers of the answers mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grpc import aio
from meetra.v1 import metrics_pb2 as pb
from meetra.v1 import metrics_pb2_grpc

from server.metrics import METRICS, KnownError, Metric


class MetricServicer(metrics_pb2_grpc.MetricServiceServicer):
    """See proto/meetra/v1/metrics.proto."""

    async def ListMetrics(  # noqa: N802
        self, request: pb.ListMetricsRequest, context: aio.ServicerContext[Any, Any]
    ) -> pb.ListMetricsResponse:
        """See MetricService.ListMetrics."""
        return pb.ListMetricsResponse(metrics=map(metric_message, METRICS))


def metric_message(metric: Metric) -> pb.Metric:
    """Return an entry of the catalogue, as callers see it."""
    return pb.Metric(
        name=metric.name,
        title=metric.title,
        unit=metric.unit,
        low=metric.low,
        high=metric.high,
        definition=metric.definition,
        interpretation=metric.interpretation,
        source=metric.source,
        definition_version=metric.version,
        parts=[
            pb.MetricPart(name=part.name, definition=part.definition, weight=part.weight, errors=_errors(part.errors))
            for part in metric.parts
        ],
        min_speakers=metric.speakers,
        min_speech_seconds=metric.speech_s,
        english_only=metric.english_only,
        errors=_errors(metric.errors),
    )


def _errors(errors: Iterable[KnownError]) -> list[pb.MetricError]:
    return [
        pb.MetricError(
            data=error.data, measure=error.measure, value=error.value, unit=error.unit, baseline=error.baseline
        )
        for error in errors
    ]
