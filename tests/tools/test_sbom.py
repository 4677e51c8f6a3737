"""The bill of materials: valid CycloneDX, complete, true."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any
from uuid import UUID

import av
import pytest

from inference.catalogue import EMBEDDED
from tests.recordings import ROOT
from tools.sbom import bill_of_materials, ffmpeg

pytestmark = pytest.mark.long
# Of the schema of CycloneDX 1.6 (bom-1.6.schema.json): what it requires of what we write.
TYPES = {"application", "framework", "library", "file", "machine-learning-model"}
SPDX_IDS = {"Apache-2.0", "BSD-3-Clause", "CC-BY-4.0", "MIT", "PostgreSQL"}
FIELDS = set("type bom-ref name version description purl licenses hashes components properties".split())


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return bill_of_materials()


def everything(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        yield from everything(component.get("components", []))


def test_it_has_what_the_schema_requires(document: dict[str, Any]) -> None:
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.6", 1)
    assert UUID(document["serialNumber"].removeprefix("urn:uuid:")).version == 4
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", document["metadata"]["timestamp"])
    for component in everything([document["metadata"]["component"], *document["components"]]):
        assert component["type"] in TYPES
        assert component["name"]
        assert component.keys() <= FIELDS
        for licence in component.get("licenses", []):
            if "expression" in licence:
                assert component["licenses"] == [licence], "an expression stands alone"
            else:
                (kind,) = licence["license"]
                assert licence["license"][kind] in SPDX_IDS if kind == "id" else kind == "name"
        for digest in component.get("hashes", []):
            assert digest.keys() == {"alg", "content"}
            assert re.fullmatch("[0-9a-f]{64}", digest["content"])
        assert all(found.keys() == {"name", "value"} for found in component.get("properties", []))


def test_references_are_unique_and_lead_somewhere(document: dict[str, Any]) -> None:
    root = document["metadata"]["component"]["bom-ref"]
    names = [root, *(component["bom-ref"] for component in document["components"])]
    assert len(set(names)) == len(names)
    assert document["dependencies"] == [{"ref": root, "dependsOn": names[1:]}]


def test_every_distribution_is_there_with_its_version(document: dict[str, Any]) -> None:
    listed = {c["purl"]: c for c in document["components"] if c.get("purl", "").startswith("pkg:pypi/")}
    installed = {re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower(): one.version for one in metadata.distributions()}
    installed.pop("meetra", None)
    assert set(listed) == {f"pkg:pypi/{name}@{version}" for name, version in installed.items()}
    libraries = {
        file["name"].split("-")[0].split(".")[0] for file in listed[f"pkg:pypi/av@{av.__version__}"]["components"]
    }
    assert {"libavcodec", "libx264", "libx265"} <= libraries or sys.platform != "linux"


def test_what_the_page_is_made_of_is_there_and_what_builds_it_is_not(document: dict[str, Any]) -> None:
    found = {one["name"]: one for one in document["components"] if one.get("purl", "").startswith("pkg:npm/")}
    assert found["preact"]["licenses"] == [{"expression": "MIT"}]
    assert found["@tanstack/virtual-core"]["purl"].startswith("pkg:npm/%40tanstack/virtual-core@")
    assert "vite" not in found


def test_the_default_models_are_there_with_digests_and_licences(document: dict[str, Any]) -> None:
    models = {c["name"]: c for c in document["components"] if c["type"] == "machine-learning-model"}
    for entry in EMBEDDED:
        found = models[entry.name]
        assert {file["name"]: file["hashes"][0]["content"] for file in found["components"]} == {
            file.name: file.sha256 for file in entry.files
        }
        assert found["licenses"][0]["license"] in ({"id": entry.licence}, {"name": entry.licence})


def test_notice_says_what_the_installed_ffmpeg_says_of_itself() -> None:
    """With another wheel of PyAV, NOTICE must be looked at again."""
    version, licence, configuration = ffmpeg()
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    assert f"FFmpeg {version}" in notice
    assert f'"{licence}"' in notice
    assert f"av {av.__version__}" in notice
    for part in ("--enable-version3", "--enable-libx264", "--enable-libx265"):
        assert (part in configuration) == (part in notice), part
    assert "--enable-gpl" not in configuration
    for carried in re.findall(r"--enable-lib(\w+)", configuration):
        assert carried in notice, f"NOTICE names all libraries of the wheel, and {carried} is one"


def test_a_wrong_model_ends_the_command_with_a_line(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "catalogue.toml"
    broken.write_text("[[model]]\n")
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(broken))
    done = subprocess.run([sys.executable, "-m", "tools.sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("sbom: ")
    assert "Traceback" not in done.stderr
