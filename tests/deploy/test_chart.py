"""The Helm chart: as Helm itself renders it, against Kubernetes' schemas, and whether its parts fit together.

No cluster runs here. What is rendered is what a cluster would be given.
"""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest

from tests.deploy.charts import (
    CHART,
    FORMS,
    KUBERNETES,
    chooses,
    of,
    pods,
    refusal,
    render,
    variables,
)
from tests.deploy.programs import run


@pytest.mark.parametrize("form", FORMS)
def test_helm_finds_nothing_to_complain_about(form: str, helm: Path) -> None:
    linted = run(helm, "lint", "--strict", CHART, "--values", CHART / "ci" / f"{form}-values.yaml")
    assert linted.returncode == 0, linted.stdout
    assert "[WARNING]" not in linted.stdout


@pytest.mark.parametrize("version", KUBERNETES, ids=["oldest", "newest"])
@pytest.mark.parametrize("form", FORMS)
def test_kubernetes_knows_every_field(form: str, version: str, helm: Path) -> None:
    for document in render(helm, form):
        kubernetes_validate.validate(document, version, strict=True)


def test_every_field_is_checked(helm: Path) -> None:
    deployment = of(render(helm, "small"), "Deployment", "api")
    wrong = {**deployment, "spec": {**deployment["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[1], strict=True)


def test_the_settings_of_values_arrive_as_they_were_written(helm: Path) -> None:
    documents = render(helm, "large")
    api, gateway = (
        variables(of(documents, "Deployment", part)["spec"]["template"]["spec"]["containers"][0])
        for part in ("api", "gateway")
    )
    assert api["MEETRA_MAX_UPLOAD_BYTES"] == "4294967296"
    assert api["MEETRA_SUMMARY_KEY"] == {"secretKeyRef": {"name": "models", "key": "api-key"}}
    assert gateway["MEETRA_OIDC_ISSUER"] == api["MEETRA_OIDC_ISSUER"] == "https://login.example"
    assert gateway["MEETRA_GATEWAY_CORS_ORIGINS"] == "https://app.example https://*.example.com"


@pytest.mark.parametrize("form", FORMS)
def test_what_selects_pods_selects_those_of_its_part(form: str, helm: Path) -> None:
    documents = render(helm, form)
    labels = {name: metadata["labels"] for name, metadata, _ in pods(documents)}
    for document in documents:
        name, spec = document["metadata"]["name"], document["spec"]
        if document["kind"] == "Service":
            selector = spec["selector"]
        elif document["kind"] in ("Deployment", "PodDisruptionBudget"):
            selector = spec["selector"]["matchLabels"]
        elif document["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] == name
            assert "replicas" not in of(documents, "Deployment", name.removeprefix("meetra-"))["spec"]
            continue
        else:
            continue
        assert [pod for pod, found in labels.items() if chooses(selector, found)] == [name]


def test_only_those_who_call_get_in(helm: Path) -> None:
    documents = render(helm, "small")
    labels = {name.removeprefix("meetra-"): metadata["labels"] for name, metadata, _ in pods(documents)}
    policies = [document["spec"] for document in documents if document["kind"] == "NetworkPolicy"]
    assert all("Ingress" in policy["policyTypes"] for policy in policies)

    def callers(of_part: str) -> set[str]:
        found: set[str] = set()
        closed = False
        for policy in policies:
            if not chooses(policy["podSelector"]["matchLabels"], labels[of_part]):
                continue
            closed = True
            for rule in policy.get("ingress", []):
                if "from" not in rule:
                    found.add("everybody")
                for peer in rule.get("from", []):
                    selector = peer["podSelector"]["matchLabels"]
                    found |= {part for part, own in labels.items() if chooses(selector, own)}
        assert closed
        return found

    assert {part: callers(part) for part in labels} == {
        "gateway": {"everybody"},
        "api": {"gateway"},
        "worker": set(),
        "inference": {"api", "worker"},
        "migrate": set(),
        "tools": set(),
    }
    inference = of(documents, "NetworkPolicy", "inference")["spec"]
    assert (inference["policyTypes"], inference["egress"]) == (["Ingress", "Egress"], [])
    assert not [
        document
        for document in render(helm, "small", "networkPolicy.enabled=false")
        if "NetworkPolicy" in document["kind"]
    ]


def test_replicas_follow_the_load_and_the_lag_where_it_is_known(helm: Path) -> None:
    large = render(helm, "large")
    (cpu, lag) = of(large, "HorizontalPodAutoscaler", "worker")["spec"]["metrics"]
    assert (cpu["resource"]["name"], cpu["resource"]["target"]["averageUtilization"]) == ("cpu", 70)
    assert lag["external"]["metric"] == {
        "name": "meetra_jobs_waiting",
        "selector": {"matchLabels": {"organization": "all"}},
    }
    assert lag["external"]["target"] == {"type": "AverageValue", "averageValue": "4"}
    assert [metric["type"] for metric in of(large, "HorizontalPodAutoscaler", "gateway")["spec"]["metrics"]] == [
        "Resource"
    ]
    assert not [document for document in render(helm, "small") if document["kind"] == "HorizontalPodAutoscaler"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('database.secret=""', "at '/database/secret'"),
        ("settings.MAX_UPLOAD_BYTES=4294967296", "at '/settings/MAX_UPLOAD_BYTES'"),
        ('settings.DATABASE_URL="postgresql://"', "invalid propertyName 'DATABASE_URL'"),
        ("gateway.replica=2", "at '/gateway'"),
        ('inference.device="tpu"', "at '/inference/device'"),
        ('data.accessMode="ReadWriteOncePod"', "at '/data/accessMode'"),
        ('worker.autoscaling.lag={"metric": "lag", "perReplica": ""}', "at '/worker/autoscaling/lag/perReplica'"),
        ('image.registry="registry.example/"', "at '/image/registry'"),
    ],
    ids=["secret", "number", "reserved", "unknown", "device", "volume", "lag", "registry"],
)
def test_values_that_are_none_are_refused_by_name(change: str, told: str, helm: Path) -> None:
    assert told in refusal(helm, "small", change)
