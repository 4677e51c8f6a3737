"""The pods of the Helm chart: what they may do, what they are told, and how they say that they are well."""

from __future__ import annotations

import re
import secrets
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.auth import ensure_key, read_keys
from server.config import ApiSettings, ServerSettings
from server.webhooks import WebhookKeys
from tests.deploy.charts import (
    FORMS,
    PARTS,
    containers,
    of,
    pods,
    render,
    variables,
)
from tests.deploy.images import environment, last
from tests.docs.shell_commands import unknown_settings


@pytest.mark.parametrize("form", FORMS)
def test_pods_can_do_nothing_but_their_work(form: str, helm: Path) -> None:
    documents = render(helm, form)
    assert {name for name, _, _ in pods(documents)} == {f"meetra-{part}" for part in (*PARTS, "tools", "migrate")}
    for name, _, pod in pods(documents):
        assert pod["automountServiceAccountToken"] is False
        # A Service meetra-gateway would set MEETRA_GATEWAY_PORT, which is a setting.
        assert pod["enableServiceLinks"] is False
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 1000)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            inside = container["securityContext"]
            assert inside["readOnlyRootFilesystem"], name
            assert inside["allowPrivilegeEscalation"] is False
            assert inside["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]
            # What programs write to is mounted.
            mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
            assert "/tmp" in mounted or container["name"] == "keys"
            volumes = {volume["name"] for volume in pod["volumes"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        assert not {volume["name"] for volume in pod["volumes"]} - {
            mount["name"] for container in containers(pod) for mount in container["volumeMounts"]
        }


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_in_what_is_rendered(form: str, helm: Path) -> None:
    documents = render(helm, form)
    assert not [document for document in documents if document["kind"] in ("Secret", "ConfigMap")]
    for _, _, pod in pods(documents):
        for container in containers(pod):
            for name, value in variables(container).items():
                secret = re.search(r"DATABASE_URL|OWNER_URL|SUMMARY_KEY$", name)
                assert (isinstance(value, dict) and "secretKeyRef" in value) == bool(secret), name


@pytest.mark.parametrize("form", FORMS)
def test_settings_are_ones_that_there_are_and_none_is_missing(form: str, helm: Path) -> None:
    for name, _, pod in pods(render(helm, form)):
        for container in containers(pod):
            given = variables(container)
            assert unknown_settings(" ".join(given)) == [], name
            part = name.removeprefix("meetra-")
            if container["name"] in ("api", "worker"):
                settings = ApiSettings if part == "api" else ServerSettings
                needed = {
                    f"MEETRA_{key.upper()}" for key, field in settings.model_fields.items() if field.is_required()
                }
                assert needed <= set(given)


@pytest.mark.parametrize("form", FORMS)
def test_images_and_ports_are_those_of_the_images(form: str, helm: Path) -> None:
    documents = render(helm, form)
    for _, _, pod in pods(documents):
        for container in containers(pod):
            registry, _, image = container["image"].rpartition("/")
            target = image.partition(":")[0].removeprefix("meetra-")
            assert registry == "registry.example/meetra"
            exposed = set(last(target, "EXPOSE").split())
            ports = {str(port["containerPort"]): port["name"] for port in container.get("ports", [])}
            assert set(ports) <= exposed
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if container["name"] in PARTS:
                    (kind,) = set(container[probe]) & {"grpc", "httpGet", "tcpSocket"}
                    assert str(container[probe][kind]["port"]) in {*ports, *ports.values()}
    hosts = {document["metadata"]["name"]: document for document in documents if document["kind"] == "Service"}
    api = variables(of(documents, "Deployment", "api")["spec"]["template"]["spec"]["containers"][0])
    host, port = api["MEETRA_INFERENCE_ADDRESS"].split(":")
    assert [one["port"] for one in hosts[host]["spec"]["ports"]] == [int(port)]
    assert hosts[host]["spec"]["clusterIP"] == "None"
    assert environment("inference-cpu")["MEETRA_INFERENCE_LISTEN"].endswith(f":{port}")
    gateway = variables(of(documents, "Deployment", "gateway")["spec"]["template"]["spec"]["containers"][0])
    assert hosts[gateway["MEETRA_GATEWAY_API_HOST"]]["spec"]["clusterIP"] == "None"


def test_probes_ask_for_what_they_decide(helm: Path) -> None:
    documents = render(helm, "small")
    probes = {part: of(documents, "Deployment", part)["spec"]["template"]["spec"]["containers"][0] for part in PARTS}
    for part, port in (("api", 50051), ("worker", 50054)):
        assert probes[part]["readinessProbe"]["grpc"] == {"port": port}
        # Nobody is restarted for a database that is away.
        assert probes[part]["livenessProbe"]["grpc"] == {"port": port, "service": "alive"}
        assert probes[part]["startupProbe"]["grpc"] == {"port": port, "service": "alive"}
    assert probes["inference"]["readinessProbe"]["grpc"] == {"port": 50061}
    assert probes["gateway"]["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "probe"}
    # With TLS on it, kubelet has no certificate to ask with; the port is open once models are loaded.
    guarded = of(render(helm, "large"), "Deployment", "inference")["spec"]["template"]["spec"]["containers"][0]
    assert guarded["readinessProbe"]["tcpSocket"] == {"port": 50061}


def test_a_volume_of_one_node_keeps_who_shares_it_together(helm: Path) -> None:
    small, large = render(helm, "small"), render(helm, "large")
    shared = {name for name, metadata, _ in pods(small) if metadata["labels"].get("meetra.data") == "shared"}
    assert shared == {"meetra-api", "meetra-worker"}
    for name, _, pod in pods(small):
        assert ("affinity" in pod) == (name in shared)
        claims = [
            volume["persistentVolumeClaim"]["claimName"]
            for volume in pod["volumes"]
            if "persistentVolumeClaim" in volume
        ]
        assert claims == (["meetra-data"] if name in shared else [])
    assert of(small, "PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert of(large, "PersistentVolumeClaim")["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert not [name for name, _, pod in pods(large) if "affinity" in pod]
    assert not [document for document in render(helm, "gpu") if document["kind"] == "PersistentVolumeClaim"]


def test_keys_are_copied_to_where_only_the_process_has_them(helm: Path) -> None:
    large = render(helm, "large")
    for part, wanted in (("api", ["token-keys", "webhook-keys"]), ("worker", ["webhook-keys"])):
        pod = of(large, "Deployment", part)["spec"]["template"]["spec"]
        (copying,) = pod["initContainers"]
        (script,) = copying["args"]
        assert [name for name in ("token-keys", "webhook-keys") if f"install -m 0600 /{name}/" in script] == wanted
        (keys,) = (volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == "keys")
        assert keys["medium"] == "Memory"
        mounts = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounts & {"keys", "token-keys", "webhook-keys"} == {"keys"}
    assert "initContainers" not in of(render(helm, "small"), "Deployment", "worker")["spec"]["template"]["spec"]


def test_the_schema_changes_before_anything_starts(helm: Path) -> None:
    job = of(render(helm, "small"), "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["migrate"]
    owners = [
        name
        for name, _, pod in pods(render(helm, "small"))
        if any("MEETRA_DATABASE_OWNER_URL" in variables(one) for one in pod["containers"])
    ]
    assert owners == ["meetra-tools", "meetra-migrate"]


def test_a_gpu_is_requested_where_one_is_used(helm: Path) -> None:
    pod = of(render(helm, "gpu"), "Deployment", "inference")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry.example/meetra/meetra-inference-gpu:0.1.0-1"
    assert container["resources"]["limits"] == {"memory": "8Gi", "nvidia.com/gpu": 2}
    assert pod["runtimeClassName"] == "nvidia"
    assert "nvidia.com/gpu" not in str(render(helm, "small"))


def test_keys_of_a_secret_become_files_that_the_server_reads(helm: Path, tmp_path: Path) -> None:
    ensure_key(tmp_path / "made", datetime.now(UTC))
    # As kubelet mounts a Secret: links to links.
    moment = tmp_path / "token-keys" / "..2026_11_29"
    moment.mkdir(parents=True)
    (moment.parent / "..data").symlink_to(moment.name)
    for file in (tmp_path / "made").iterdir():
        (moment / file.name).write_bytes(file.read_bytes())
        (moment.parent / file.name).symlink_to(Path("..data", file.name))
    (tmp_path / "webhook-keys").mkdir()
    (tmp_path / "webhook-keys" / "webhook-keys").write_text(f"{secrets.token_urlsafe(32)}\n")
    (tmp_path / "keys").mkdir()
    pod = of(render(helm, "large"), "Deployment", "api")["spec"]["template"]["spec"]
    (script,) = pod["initContainers"][0]["args"]
    here = re.sub(r" (/(?:token-keys|webhook-keys|keys)/)", rf" {tmp_path}\1", script)
    subprocess.run(["sh", "-ec", here], check=True)
    made, copied = read_keys(tmp_path / "made"), read_keys(tmp_path / "keys" / "token-keys")
    assert copied.jwks() == made.jwks()
    assert WebhookKeys.read(tmp_path / "keys" / "webhook-keys")
