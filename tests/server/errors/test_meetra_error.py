"""The base of all errors: facts for programs are bounded, and the gateway learns the HTTP status."""

from __future__ import annotations

import grpc
import pytest

from server.errors import InternalError, MeetraError
from server.errors.meetra_error import HTTP_STATUS, MAX_FACT_LENGTH


class Refusal(InternalError):
    """An error of any message; no direct subclass of MeetraError, all of which are documented."""

    reason = "REFUSAL"
    grpc_status = grpc.StatusCode.NOT_FOUND

    def __init__(self, message: str, **facts: str | int) -> None:
        MeetraError.__init__(self, message, **facts)


def test_facts_are_texts_of_bounded_length() -> None:
    error = Refusal("no", limit=5, name="n" * 1000)
    assert error.facts == {"limit": "5", "name": "n" * MAX_FACT_LENGTH}
    assert (str(error), error.message) == ("no", "no")


@pytest.mark.parametrize("status", list(HTTP_STATUS))
def test_a_grpc_status_has_an_http_status_unless_the_error_has_its_own(status: grpc.StatusCode) -> None:
    kind = type("Kind", (Refusal,), {"grpc_status": status})
    assert kind("no").metadata() == (("x-http-code", str(HTTP_STATUS[status])), ("x-meetra-reason", Refusal.reason))
    own = type("Own", (Refusal,), {"grpc_status": status, "http_status": 418})
    assert dict(own("no").metadata())["x-http-code"] == "418"


def test_a_wait_is_a_fact_and_a_header() -> None:
    waiting = type("Waiting", (Refusal,), {"retry_after_s": 7})("later", progress=1)
    assert waiting.facts == {"progress": "1", "retry_after_s": "7"}
    assert waiting.metadata() == (("x-http-code", "404"), ("x-meetra-reason", waiting.reason), ("retry-after", "7"))
