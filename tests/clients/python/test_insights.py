"""The answers of a meeting: each has its method, which passes on what it is asked."""

from __future__ import annotations

from inspect import signature
from typing import Any

import pytest

from meetra_client import MeetraClient
from meetra_client.insights import InsightCalls
from tests.clients.python.any_call_server import PUBLIC_SERVICES, AnyCallServer

NAMES = sorted(name for name in vars(InsightCalls) if not name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
async def test_a_method_asks_for_one_answer(any_call: tuple[AnyCallServer, MeetraClient], name: str) -> None:
    server, client = any_call
    method = getattr(client.insights, name)
    options: dict[str, Any] = {"details": True, "period_seconds": 60, "live": True}
    given = {option: value for option, value in options.items() if option in signature(method).parameters}
    assert "live" in given
    await method("f" * 64, **given)
    (request,) = server.requests
    asked = {field.name: value for field, value in request.ListFields()}
    named = {"include_details" if option == "details" else option: value for option, value in given.items()}
    assert asked == {"file_hash": "f" * 64, **named}


async def test_every_answer_of_the_service_has_its_method(any_call: tuple[AnyCallServer, MeetraClient]) -> None:
    server, client = any_call
    for name in NAMES:
        await getattr(client.insights, name)("f" * 64)
    service = PUBLIC_SERVICES["meetra.v1.InsightsService"]
    methods = {f"{service.full_name}/{each.name}" for each in service.methods}
    assert set(server.called) == methods
    assert len(server.called) == len(methods)
