"""The catalogue of metrics, over real gRPC."""

from __future__ import annotations

import grpc
import pytest
from grpc import aio
from meetra.v1 import metrics_pb2 as pb
from meetra.v1 import metrics_pb2_grpc

from server.insights import BALANCE
from server.metrics import METRICS
from tests.server.api.conftest import Api


async def test_every_metric_is_listed_with_what_is_known_of_it(api: Api) -> None:
    service = metrics_pb2_grpc.MetricServiceStub(api.channel)
    found = (await service.ListMetrics(pb.ListMetricsRequest(), metadata=api.metadata)).metrics
    assert [metric.name for metric in found] == [metric.name for metric in METRICS]
    (balance,) = (metric for metric in found if metric.name == "balance_score")
    assert (balance.title, balance.unit, balance.low, balance.high) == ("Balance", "points", 0, 100)
    assert balance.definition_version == BALANCE.version
    assert [(part.name, part.weight) for part in balance.parts] == [("evenness", 1), ("gini", 0)]
    assert (balance.min_speakers, balance.min_speech_seconds, balance.english_only) == (2, 10, False)
    assert [(error.value, error.unit, error.HasField("baseline")) for error in balance.errors] == [
        (9.1, "points", False),
        (0.1, "points", False),
    ]
    (mos,) = (metric for metric in found if metric.name == "mos")
    assert list(mos.errors) == []
    (noise,) = (metric for metric in found if metric.name == "noise_db")
    assert not noise.HasField("low")


async def test_without_a_token_it_is_refused(api: Api) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await metrics_pb2_grpc.MetricServiceStub(api.channel).ListMetrics(pb.ListMetricsRequest())
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
