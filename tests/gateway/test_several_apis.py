"""How Envoy is told of one API and of several; tests/e2e/test_several_servers.py has real ones."""

from __future__ import annotations

import json

import pytest

from gateway.several_apis import SERVING, ApiAddress, endpoints, found_and_balanced, may_be_several, retry_policy

ONE = (ApiAddress("10.0.0.1"),)
TWO = (ApiAddress("10.0.0.1", 1, 2, 3), ApiAddress("fd00::2", 4, 5, 6))
NAME = (ApiAddress("api.internal"),)


def test_one_address_is_used_as_it_is() -> None:
    assert not may_be_several(ONE)
    assert found_and_balanced(ONE) == found_and_balanced(ONE, by_session=True) == "type: STATIC"
    assert retry_policy(ONE) == "null"


@pytest.mark.parametrize(("apis", "kind"), [(TWO, "STATIC"), (NAME, "STRICT_DNS")], ids=["addresses", "name"])
def test_where_several_may_be_those_that_do_not_serve_are_left_out(apis: tuple[ApiAddress, ...], kind: str) -> None:
    assert may_be_several(apis)
    anyhow, by_session = (found_and_balanced(apis, by_session=told).splitlines() for told in (False, True))
    assert anyhow[0] == f"type: {kind}"
    assert ("    lb_policy: LEAST_REQUEST" in anyhow, "    lb_policy: MAGLEV" in by_session) == (True, True)
    (check,) = json.loads(anyhow[-1].removeprefix("    health_checks: "))
    assert check["http_health_check"]["receive"] == [{"text": SERVING}]
    assert anyhow[-1] == by_session[-1]
    # What an API may have begun is not done twice.
    assert json.loads(retry_policy(apis))["retry_on"] == "connect-failure,refused-stream,reset-before-request"


def test_each_endpoint_has_its_own_port_and_the_health_of_its_api() -> None:
    found = [entry["endpoint"] for entry in json.loads(endpoints(TWO, [api.http_port for api in TWO]))]
    assert [entry["address"]["socket_address"]["address"] for entry in found] == ["10.0.0.1", "fd00::2"]
    assert [entry["address"]["socket_address"]["port_value"] for entry in found] == [3, 6]
    assert [entry["health_check_config"]["port_value"] for entry in found] == [1, 4]
    assert [api.grpc for api in TWO] == ["10.0.0.1:1", "[fd00::2]:4"]
