"""Dashboard and alert rules ask for metrics that there are, by labels that they have, in Prometheus's language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import cli.monitoring
import inference.monitoring
import server.monitoring
from monitoring import ObservedGauge
from tests.recordings import ROOT

FOLDER = ROOT / "deploy" / "observability"
OUR_MODULES = (cli.monitoring, inference.monitoring, server.monitoring)
# What Prometheus adds, and the supervisor's address.
OF_ALL = {"job", "instance", "process"}
# Of Envoy: that it tells them is checked with a running one, by tests/e2e/test_command_line.py.
ENVOY = {
    "envoy_http_downstream_rq_xx": {"envoy_response_code_class", "envoy_http_conn_manager_prefix"},
    "envoy_http_downstream_cx_active": {"envoy_http_conn_manager_prefix"},
    "envoy_http_downstream_rq_active": {"envoy_http_conn_manager_prefix"},
    "envoy_server_memory_allocated": set[str](),
}
# Of the library, on Linux.
LINUX = {"process_resident_memory_bytes": set[str](), "process_cpu_seconds_total": set[str]()}
# Of what is chosen in Grafana.
VARIABLES = {"$__rate_interval": "5m", "$instance": "here", "$job": "meetra"}
PARTS = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def labels_of_series() -> dict[str, set[str]]:
    """The labels of each series that can be asked for, by its name."""
    labels = {name: set[str]() for family in REGISTRY.collect() for name in (s.name for s in family.samples)}
    labels = {name: found for name, found in labels.items() if not name.startswith("meetra_")}
    for module in OUR_MODULES:
        for metric in vars(module).values():
            if isinstance(metric, MetricWrapperBase | ObservedGauge):
                (family,) = metric.describe()
                own = set(metric.labels if isinstance(metric, ObservedGauge) else metric._labelnames)
                for part in PARTS[family.type]:
                    labels[f"{family.name}{part}"] = own | ({"le"} if part == "_bucket" else set())
    return {"up": set(), **LINUX, **labels, **ENVOY}


SERIES = labels_of_series()


def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
    return document


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> dict[str, str]:
    """All queries, by where they stand."""
    found = {rule["alert"]: rule["expr"] for rule in rules()}
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for name, value in VARIABLES.items():
                query = query.replace(name, value)
            found[f"{panel['title']} {target['refId']}"] = query
    return found


def selected(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """What a parsed query asks for."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, promql_parser.MatrixSelector):
        yield node.vector_selector
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from (*selected(node.lhs), *selected(node.rhs))
    elif isinstance(node, promql_parser.Call):
        yield from (found for argument in node.args for found in selected(argument))
    elif hasattr(node, "expr"):
        yield from selected(node.expr)


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_each_query_is_parsed_and_asks_for_series_and_labels_that_there_are(query: str) -> None:
    parsed = promql_parser.parse(query)
    found = list(selected(parsed))
    assert found
    for one in found:
        assert one.name in SERIES, f"{one.name} is no metric"
        known = SERIES[one.name] | OF_ALL
        assert {matcher.name for matcher in one.matchers.matchers} <= known, one.name
    # Whatever is grouped by is a label of what stands there.
    grouped = {name.strip() for names in re.findall(r"\b(?:by|on) \(([^)]*)\)", query) for name in names.split(",")}
    assert grouped - {""} <= OF_ALL.union(*(SERIES[one.name or ""] for one in found))


def test_a_wrong_name_would_be_found() -> None:
    (one,) = selected(promql_parser.parse("sum by (le) (rate(meetra_no_such_metric_total[5m]))"))
    assert one.name not in SERIES
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by (le) (rate(meetra_calls_total[5m])")


def test_every_metric_of_ours_is_on_the_dashboard_or_in_a_rule() -> None:
    asked = {one.name for query in queries().values() for one in selected(promql_parser.parse(query))}
    ours = {re.sub("_(bucket|sum|count|total)$", "", name) for name in SERIES if name.startswith("meetra_")}
    assert ours == {re.sub("_(bucket|sum|count|total)$", "", name or "") for name in asked if "meetra_" in (name or "")}


def test_rules_say_what_is_wrong_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["annotations"].keys() == {"summary", "description"}
        asked = selected(promql_parser.parse(rule["expr"]))
        labels = {name for one in asked for name in SERIES[one.name or ""]}
        named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert named <= labels | OF_ALL, rule["alert"]
        aggregated = re.findall(r"\b(?:sum|max|min) by \(([^)]*)\)", rule["expr"])
        if aggregated and rule["expr"].startswith(("sum", "max", "min", "histogram")):
            assert named <= {name.strip() for name in aggregated[0].split(",")}, rule["alert"]


def test_the_dashboard_is_one_that_grafana_lays_out() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(panels))) == {
        "datasource",
        "instance",
        "job",
        "__rate_interval",
    }
    assert {one["name"] for one in dashboard()["templating"]["list"]} == {"datasource", "instance", "job"}
    assert dashboard()["uid"] == "meetra"


def test_prometheus_is_told_of_the_rules_and_of_the_usual_address() -> None:
    configured = yaml.safe_load((FOLDER / "prometheus.yaml").read_text(encoding="utf-8"))
    assert configured["rule_files"] == ["alerts.yaml"]
    (job,) = configured["scrape_configs"]
    assert job == {"job_name": "meetra", "static_configs": [{"targets": [cli.monitoring.DEFAULT_LISTEN]}]}


def test_the_document_lists_every_metric_with_its_labels_and_every_alert() -> None:
    document = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(meetra_\w+)` \| (\w+) \| ?(.*?) ?\| (.*) \|$", document, re.MULTILINE)
    expected = []
    for module in OUR_MODULES:
        for metric in vars(module).values():
            if isinstance(metric, MetricWrapperBase | ObservedGauge):
                (family,) = metric.describe()
                labels = metric.labels if isinstance(metric, ObservedGauge) else metric._labelnames
                total = "_total" if family.type == "counter" else ""
                named = ", ".join(f"`{label}`" for label in labels)
                expected.append((f"{family.name}{total}", family.type, named, family.documentation))
    assert sorted(listed) == sorted(expected)
    alerts = re.findall(r"^\| `(Meetra\w+)` \| (\w+) \|", document, re.MULTILINE)
    assert alerts == [(rule["alert"], rule["labels"]["severity"]) for rule in rules()]
