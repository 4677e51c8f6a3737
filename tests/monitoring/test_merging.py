"""Many processes' metrics as one text: each series once, each metric together, and all of it what the library reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from monitoring import merge

ENVOY = (
    "# TYPE envoy_cluster_upstream_rq counter\n"
    'envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="api"} 3\n'
    "\n"
    "# TYPE envoy_cluster_upstream_rq_total counter\n"
    'envoy_cluster_upstream_rq_total{envoy_cluster_name="api"} 4\n'
    "# TYPE envoy_server_live gauge\n"
    "envoy_server_live{} 1\n"
)


def of_process(value: float) -> str:
    registry = CollectorRegistry()
    Counter("calls", 'Calls, "all" of them.', ["method"], registry=registry).labels('a"b\\c\n}').inc(value)
    Gauge("running", "Running.", registry=registry).set(value)
    Histogram("lag_seconds", "Lag.", buckets=(1, 2), registry=registry).observe(value)
    return generate_latest(registry).decode()


def test_series_say_whose_they_are_and_keep_names_values_and_labels() -> None:
    text = merge({"api": of_process(1), "worker": of_process(2)})
    families = {family.name: family for family in text_string_to_metric_families(text)}
    calls = [(s.labels, s.value) for s in families["calls"].samples if s.name == "calls_total"]
    assert calls == [
        ({"process": "api", "method": 'a"b\\c\n}'}, 1),
        ({"process": "worker", "method": 'a"b\\c\n}'}, 2),
    ]
    assert families["calls"].documentation == 'Calls, "all" of them.'
    assert [(s.labels, s.value) for s in families["running"].samples] == [
        ({"process": "api"}, 1),
        ({"process": "worker"}, 2),
    ]
    buckets = [s.value for s in families["lag_seconds"].samples if s.labels["process"] == "worker"]
    assert families["lag_seconds"].type == "histogram"
    assert buckets[:3] == [0, 1, 1]


def test_all_of_a_metric_stands_together_under_one_description() -> None:
    lines = merge({"api": of_process(1), "worker": of_process(2)}).splitlines()
    types = [line for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    start = lines.index("# TYPE running gauge")
    assert lines[start - 1 : start + 3] == [
        "# HELP running Running.",
        "# TYPE running gauge",
        'running{process="api"} 1.0',
        'running{process="worker"} 2.0',
    ]


def test_counters_of_envoy_keep_their_names() -> None:
    assert merge({"envoy": ENVOY}).splitlines() == [
        "# TYPE envoy_cluster_upstream_rq counter",
        'envoy_cluster_upstream_rq{process="envoy",envoy_response_code="200",envoy_cluster_name="api"} 3',
        "# TYPE envoy_cluster_upstream_rq_total counter",
        'envoy_cluster_upstream_rq_total{process="envoy",envoy_cluster_name="api"} 4',
        "# TYPE envoy_server_live gauge",
        'envoy_server_live{process="envoy"} 1',
    ]


def test_what_is_no_metric_is_left_out() -> None:
    assert merge({"api": "<html>\nno metric\n# a remark\nup 1\n", "worker": ""}).splitlines() == [
        'up{process="api"} 1',
    ]
    assert merge({}) == ""
