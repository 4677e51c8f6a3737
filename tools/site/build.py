"""Build the site: stage its pages, and let Zensical make HTML of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import descriptor_pb2

from tools.site import grpc_reference, rest_reference
from tools.site.diagrams import drawn
from tools.site.documents import Targets, page_of
from tools.site.navigation import FOLDERS, Section, indexes, navigation

HERE = Path(__file__).parent
COLOURS = re.compile("\x1b\\[[0-9;]*m")
SWAGGER = ("swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE", "NOTICE")


class SiteNotBuilt(Exception):
    """A link leads nowhere, or a page is not valid; the message has what the builder said."""


def build(root: Path, target: Path, source_url: str = "") -> Path:
    """Build the site and return the folder of its HTML.

    Args:
        root: the repository, with its generated code in ``gen`` and its npm packages.
        target: a folder that is replaced.
        source_url: where files of the repository can be read; empty: they are named and not linked.

    Raises:
        SiteNotBuilt: Zensical warns of something, such as a link that leads nowhere.
        DiagramsNotDrawn: a diagram is not valid.
    """
    shutil.rmtree(target, ignore_errors=True)
    pages, sections = stage(root, source_url)
    for path, text in drawn(pages, root).items():
        file = target / "source" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    shutil.copytree(root / "docs" / "pictures", target / "source" / "pictures")
    shutil.copy(HERE / "site.css", target / "source")
    shutil.copytree(HERE / "theme", target / "theme")
    _stage_swagger(root, target / "source" / "swagger")
    (target / "mkdocs.yml").write_text(yaml.safe_dump(configuration(sections), sort_keys=False), encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "--config-file", str(target / "mkdocs.yml")],
        # The builder imports what makes anchors.
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise SiteNotBuilt(COLOURS.sub("", told.stdout + told.stderr))
    return target / "html"


def stage(root: Path, source_url: str) -> tuple[dict[str, str], list[Section]]:
    """Return the Markdown of all pages by path, and the sections they are in."""
    sections = navigation(root)
    paths = {page.document: page.path for section in sections for page in section.pages if page.document}
    grpc = grpc_reference.Reference(
        descriptor_pb2.FileDescriptorSet.FromString((root / "gen" / "meetra.binpb").read_bytes())
    )
    protos = frozenset(title.removesuffix(".proto") for title in grpc.titles().values())
    rest = rest_reference.Reference(_openapi(root), protos)
    linked = paths | {f"proto/meetra/v1/{name}.proto": f"grpc/{name}.md" for name in protos}
    linked |= {f"docs/{folder}": f"{folder}/index.md" for folder in FOLDERS} | {"proto/meetra/v1": grpc_reference.INDEX}
    targets = Targets(linked, source_url)
    pages = {
        page: page_of((root / document).read_text(encoding="utf-8"), page, document, targets)
        for document, page in paths.items()
    }
    below = {rest_reference.INDEX: rest.titles(), grpc_reference.INDEX: grpc.titles()}
    for page in (page for section in sections for page in section.pages):
        page.below = below.get(page.path, {})
    pages |= {"rest/try.md": (HERE / "try.md").read_text(encoding="utf-8")} | rest.pages() | grpc.pages()
    return {**indexes(sections), **pages}, sections


def _openapi(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "gen" / "openapi.json").read_text(encoding="utf-8"))
    return document


def _stage_swagger(root: Path, folder: Path) -> None:
    folder.mkdir()
    for name in SWAGGER:
        shutil.copy(root / "node_modules" / "swagger-ui-dist" / name, folder)
    shutil.copy(HERE / "swagger.html", folder / "index.html")
    shutil.copy(HERE / "swagger.js", folder)
    gateway = {"url": "{gateway}", "variables": {"gateway": {"default": "http://127.0.0.1:8080"}}}
    (folder / "openapi.json").write_text(json.dumps(_openapi(root) | {"servers": [gateway]}), encoding="utf-8")


def configuration(sections: list[Section]) -> dict[str, Any]:
    """Return the configuration of the builder."""
    return {
        "site_name": "Meetra",
        "docs_dir": "source",
        "site_dir": "html",
        # Opened as files too, without a server.
        "use_directory_urls": False,
        "copyright": "Apache-2.0",
        "theme": {
            "name": "material",
            # No fonts of another host.
            "font": False,
            "custom_dir": "theme",
            "features": ["navigation.tabs", "navigation.indexes", "navigation.top", "content.code.copy", "toc.follow"],
            "palette": [
                {"media": "(prefers-color-scheme: light)", "scheme": "default"},
                {"media": "(prefers-color-scheme: dark)", "scheme": "slate"},
            ],
        },
        "extra": {"generator": False},
        "extra_css": ["site.css"],
        "plugins": ["search"],
        "nav": [{section.title: list(_entries(section))} for section in sections],
        "markdown_extensions": [
            "tables",
            "sane_lists",
            # Anchors as forges make them: each space is a hyphen.
            {"toc": {"permalink": True, "slugify": {"object": "tools.site.anchors.slugify"}}},
            "pymdownx.superfences",
            {"pymdownx.highlight": {"anchor_linenums": False}},
        ],
        "validation": {"anchors": "warn", "unrecognized_links": "warn"},
    }


def _entries(section: Section) -> Iterator[dict[str, Any]]:
    for page in section.pages:
        below = [{title: path} for path, title in page.below.items()]
        yield {page.title: [page.path, *below]} if below else {page.title: page.path}
