"""Traces: spans of steps and batches, passed on between processes, sent to a collector, and without anybody's words."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from monitoring import (
    Collector,
    TracingUnavailable,
    continued_trace,
    current_trace_id,
    current_traceparent,
    otlp_collector,
    trace_metadata,
)
from tests.monitoring.collector import collecting
from tests.recordings import ROOT

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADER = f"00-{TRACE}-b7ad6b7169203331-01"
STARTED = (
    "import asyncio\n"
    "from monitoring import *\n"
    "from monitoring import batch, continue_trace, describe_step, opened_trace, origin, start_tracing, step\n"
    f"HEADER = '{HEADER}'\n"
    "stop = start_tracing('api')\n"
)
WORK = """
async def call(metadata, word):
    continue_trace(metadata)
    with step("Service/Method", meeting="m"):
        describe_step(status="OK")
        try:
            with step("a part"):
                raise ValueError(word)
        except ValueError:
            pass
        return origin()

async def stream(metadata):
    with opened_trace("Service/Stream begins", metadata):
        pass
    with step("a step of the stream"):
        pass
    return origin()

async def main():
    first = await asyncio.create_task(call([("traceparent", HEADER)], "quincunx"))
    second = await asyncio.create_task(stream([("traceparent", HEADER)]))
    with batch("a model", [first, second, first]):
        pass
    with batch("for nobody", []):
        pass

asyncio.run(main())
stop()
"""


def run(code: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A process of its own: the provider of spans is set once in each."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", STARTED + code],
        cwd=ROOT,
        env={**environment, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.children
def test_calls_go_on_streams_begin_anew_and_batches_belong_to_the_first_and_name_the_others() -> None:
    with collecting() as collector:
        done = run(WORK, collector.settings)
        assert done.returncode == 0, done.stderr
        spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"Service/Method", "a part", "Service/Stream begins", "a step of the stream", "a model"}
    assert {span.service for span in spans.values()} == {"meetra-api"}
    call, part, model = spans["Service/Method"], spans["a part"], spans["a model"]
    assert (call.trace, call.parent) == (TRACE, "b7ad6b7169203331")
    assert call.attributes == {"meetra.meeting": "m", "meetra.status": "OK"}
    assert (part.parent, part.failed) == (call.id, "ValueError")
    begins, later = spans["Service/Stream begins"], spans["a step of the stream"]
    assert begins.trace != TRACE
    assert (begins.parent, begins.links) == ("", ("b7ad6b7169203331",))
    assert (later.trace, later.parent) == (begins.trace, begins.id)
    assert (model.trace, model.parent, model.links) == (TRACE, call.id, (begins.id,))
    assert model.attributes == {"meetra.items": "3"}
    assert not [text for text in collector.texts if "quincunx" in text], "what an exception says stays here"


@pytest.mark.children
def test_a_collector_that_is_away_holds_up_nothing_and_without_one_the_sdk_is_not_imported() -> None:
    gone = run(WORK + "print('done')\n", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert (gone.returncode, gone.stdout) == (0, "done\n"), gone.stderr
    off = run(WORK + "import sys; print('opentelemetry.sdk' in sys.modules)\n", {})
    assert (off.returncode, off.stdout) == (0, "False\n"), off.stderr


@pytest.mark.children
def test_missing_packages_are_said_with_what_to_install() -> None:
    without = "import sys\nsys.modules['opentelemetry.sdk'] = None\n"
    code = [sys.executable, "-c", without + STARTED]
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    done = subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert (
        "TracingUnavailable: OTEL_EXPORTER_OTLP_ENDPOINT is set, and the packages that send traces are not"
        in done.stderr
    )
    assert "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-grpc" in done.stderr


def test_a_trace_is_passed_on_also_where_nothing_is_recorded() -> None:
    with continued_trace(HEADER) as trace:
        assert trace == current_trace_id() == TRACE
        assert current_traceparent() == HEADER
        assert trace_metadata() == (("traceparent", HEADER),)
        with continued_trace(""):
            assert (current_trace_id(), trace_metadata()) == ("", ())
    assert current_traceparent() == ""


@pytest.mark.parametrize("header", ["", "00-0-0-00", f"ff-{TRACE}-b7ad6b7169203331-01", HEADER * 2, "\n", "00-é"])
def test_what_is_no_header_is_no_trace(header: str) -> None:
    with continued_trace(header) as trace:
        assert trace == ""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:14317"}, Collector("localhost", 14317, False, 100)),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example/",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.25",
            },
            Collector("otel.example", 4317, True, 25),
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1]", "OTEL_TRACES_SAMPLER": "always_off"},
            Collector("::1", 4317, False, 0),
        ),
    ],
    ids=["unset", "empty", "plain", "tls and a share", "ipv6 and off"],
)
def test_the_standard_settings_name_a_collector(settings: dict[str, str], expected: Collector | None) -> None:
    assert otlp_collector(settings) == expected


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4317"}, "OTEL_EXPORTER_OTLP_ENDPOINT: give a URL"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:b:c"}, "OTEL_EXPORTER_OTLP_ENDPOINT: give a URL"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: only grpc",
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a",
                "OTEL_TRACES_SAMPLER": "traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "half",
            },
            "OTEL_TRACES_SAMPLER_ARG: give a share",
        ),
    ],
    ids=["no scheme", "no port", "another protocol", "no share"],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, str], named: str) -> None:
    with pytest.raises(TracingUnavailable, match=named):
        otlp_collector(settings)
