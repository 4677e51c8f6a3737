"""A server with small limits refuses what is over them, as 413, over real gRPC."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc import aio

from tests.api.conftest import Api
from tests.recordings import excerpt


@pytest.mark.parametrize(("seconds", "reason"), [(8, "larger than"), (5, "this server accepts 3 s")])
async def test_a_recording_over_a_limit_is_413(api: Api, tmp_path: Path, seconds: int, reason: str) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await api.upload(excerpt(seconds))
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason in str(raised.value.details())
    assert dict(raised.value.trailing_metadata() or ())["x-http-code"] == "413"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_recording_within_the_limits_is_queued(api: Api) -> None:
    assert (await api.upload(excerpt(2))).status == "queued"
