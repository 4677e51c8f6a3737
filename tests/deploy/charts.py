"""The Helm chart as Helm itself renders it, and what is in it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from tests.deploy.programs import ROOT, run

CHART = ROOT / "deploy" / "chart"
FORMS = ("small", "gpu", "large")
# The oldest that Chart.yaml names, and the newest whose schemas we have.
KUBERNETES = ("1.27", kubernetes_validate.latest_version())
PARTS = ("gateway", "api", "worker", "inference")
Document = dict[str, Any]


@functools.cache
def render(helm: Path, form: str, *changes: str) -> list[Document]:
    """Return what Helm renders, hooks too. Fails where it refuses."""
    arguments = [argument for change in changes for argument in ("--set", change)]
    values = CHART / "ci" / f"{form}-values.yaml"
    done = run(helm, "template", "meetra", CHART, "--namespace", "meetings", "--values", values, *arguments)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def refusal(helm: Path, form: str, *changes: str) -> str:
    """Return why Helm refuses values."""
    arguments = [argument for change in changes for argument in ("--set-json", change)]
    values = CHART / "ci" / f"{form}-values.yaml"
    done = run(helm, "template", "meetra", CHART, "--values", values, *arguments)
    assert done.returncode != 0, done.stdout
    return done.stderr


def of(documents: list[Document], kind: str, part: str = "") -> Document:
    """Return the only document of a kind, or of a kind and a part."""
    (found,) = (
        document
        for document in documents
        if document["kind"] == kind and part in ("", document["metadata"]["name"].removeprefix("meetra-"))
    )
    return found


def pods(documents: list[Document]) -> Iterator[tuple[str, Document, Document]]:
    """Yield what makes pods: its name, the pod's metadata and its spec."""
    for document in documents:
        if document["kind"] in ("Deployment", "Job"):
            template = document["spec"]["template"]
            yield document["metadata"]["name"], template["metadata"], template["spec"]


def containers(pod: Document) -> list[Document]:
    found: list[Document] = [*pod.get("initContainers", []), *pod["containers"]]
    return found


def variables(container: Document) -> dict[str, Any]:
    names = [variable["name"] for variable in container.get("env", [])]
    assert len(names) == len(set(names)), f"set twice: {names}"
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container.get("env", [])}


def chooses(selector: Document, labels: Document) -> bool:
    return bool(selector) and selector.items() <= labels.items()
