"""The site is built from this repository: every page, no dead link, nothing from another host."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest
from google.protobuf import descriptor_pb2

from tests.browser.chromium import Page, chromium_or_skip
from tests.browser.site import Site
from tests.node import NODE_MODULES, node_or_skip, skip_unless_ci
from tests.optional_packages import WITHOUT_NODE
from tests.recordings import ROOT
from tools.site.build import SiteNotBuilt, build
from tools.site.navigation import navigation

pytestmark = pytest.mark.children
# What a browser fetches by itself, by element.
FETCHED = {
    "script": "src",
    "img": "src",
    "source": "srcset",
    "iframe": "src",
    "link": "href",
    "audio": "src",
    "video": "src",
}


class Html(HTMLParser):
    """What a page links to, what a browser fetches for it, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.classes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.classes |= set(values.get("class", "").split())
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if FETCHED.get(tag, "") in values and values.get("rel") not in ("canonical", "prev", "next", "edit"):
            self.fetched.append(values[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site's HTML, built once."""
    node_or_skip()
    if not (NODE_MODULES / "swagger-ui-dist").is_dir():
        skip_unless_ci(WITHOUT_NODE)
    return build(ROOT, tmp_path_factory.mktemp("site") / "built")


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Html]:
    return {str(path.relative_to(site)): Html(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_of_the_navigation_is_there(pages: dict[str, Html]) -> None:
    paths = (PurePosixPath(page.path) for one in navigation(ROOT) for page in one.pages)
    # The first page of a folder.
    names = (path.with_name("index.md") if path.name == "README.md" else path for path in paths)
    assert {str(path.with_suffix(".html")) for path in names} <= set(pages)


def test_no_link_is_dead(site: Path, pages: dict[str, Html]) -> None:
    dead = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            target = target / "index.html" if target.is_dir() else target.resolve()
            found = pages.get(str(target.relative_to(site.resolve()))) if target.is_file() else None
            if not target.is_file() or (parts.fragment and found and unquote(parts.fragment) not in found.anchors):
                dead.append(f"{name}: {link}")
    # Zensical's page for what is not found links from the root of a host, wherever the site lies.
    assert [line for line in dead if not line.startswith("404.html")] == []


def test_a_browser_asks_no_other_host(site: Path, pages: dict[str, Html]) -> None:
    foreign = [f"{name}: {url}" for name, page in pages.items() for url in page.fetched if "//" in url]
    for style in [*site.rglob("*.css"), *site.rglob("*.html")]:
        told = re.findall(r"@import[^;]+;|url\(\s*['\"]?(?:https?:)?//[^)]*\)", style.read_text(encoding="utf-8"))
        foreign += [f"{style.name}: {one}" for one in told]
    assert foreign == []
    # The theme's script would fetch these from a CDN for pages that have them.
    assert [name for name, page in pages.items() if page.classes & {"mermaid", "glightbox", "pyodide"}] == []
    # And the browser itself is told to refuse.
    for name in pages:
        assert "Content-Security-Policy" in (site / name).read_text(encoding="utf-8"), name


def test_pages_work_in_a_browser_and_stay_with_their_host(site: Path, tmp_path: Path) -> None:
    served = Site(site)
    (tmp_path / "chromium").mkdir()
    with Page(chromium_or_skip(tmp_path / "chromium"), tmp_path) as page:
        page.open(f"{served.origin}/index.html")
        # The search is a worker with an index of its own.
        page.press("/")
        page.type_text("watermark")
        page.wait_for("css=a[href*='live.html'] >> visible=true", timeout_s=100)
        page.open(f"{served.origin}/processing-flow.html")
        page.wait_for("css=.diagram svg", timeout_s=100)
        page.open(f"{served.origin}/swagger/index.html")
        page.wait_for("css=[data-path='/api-login']", timeout_s=100)
        assert [url for url in page.requests() if not url.startswith((served.origin, "data:", "blob:"))] == []
        assert "Content Security Policy" not in page.console()
    served.stop()


def test_every_call_and_type_is_in_the_reference(pages: dict[str, Html]) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "meetra.binpb").read_bytes())
    missing = []
    for file in (file for file in files.file if file.package == "meetra.v1"):
        anchors = pages[f"grpc/{PurePosixPath(file.name).stem}.html"].anchors
        names = [*(one.name for one in file.service), *(one.name for one in file.message_type)]
        names += [one.name for one in file.enum_type]
        names += [method.name for service in file.service for method in service.method]
        missing += [name for name in names if name.lower() not in anchors]
    assert missing == []
    operations = [
        (one["tags"][0].lower(), one["operationId"].lower())
        for verbs in json.loads((ROOT / "gen" / "openapi.json").read_text(encoding="utf-8"))["paths"].values()
        for one in verbs.values()
    ]
    assert [one for one in operations if one[1] not in pages[f"rest/{one[0]}.html"].anchors] == []


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path) -> None:
    """Checked on a repository of two documents, with the descriptors and packages of this one."""
    node_or_skip()
    for name in ("gen", "node_modules", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "docs" / "pictures").mkdir(parents=True)
    for name in ("README.md", "docs/rest.md"):
        (tmp_path / name).write_text("# Title\n\n[here](#title) [there](#nowhere)\n", encoding="utf-8")
    with pytest.raises(SiteNotBuilt, match=r"index.md#nowhere"):
        build(tmp_path, tmp_path / "built")
