"""A real Chromium, a site for its pages, and a system that accepts calls of that site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Page, chromium_or_skip
from tests.browser.person import Person
from tests.browser.site import Site
from tests.e2e.conftest import Rest, System, start_system
from tests.node import skip_unless_ci
from tests.optional_packages import WITHOUT_PAGE
from tests.recordings import ROOT

OpenPage = Callable[..., Page]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of this folder."""
    item.add_marker("system" if "system" in getattr(item, "fixturenames", ()) else "children")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, unpacked once."""
    return chromium_or_skip(tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Where pages come from: another origin than the gateway's."""
    served = Site(tmp_path_factory.mktemp("site"))
    served.add("blank.html", "<!doctype html><title>A page</title>")
    yield served
    served.stop()


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[System]:
    """A running system that accepts calls of the site's pages."""
    running = start_system(tmp_path_factory.mktemp("system") / "data", "--cors-origin", site.origin)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def rest(system: System) -> Rest:
    """The API as the demo user."""
    return system.login()


@pytest.fixture
def open_page(chromium: Path, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens pages: ``open_page(url, microphone=wav)``. They are closed with the test."""
    opened: list[Page] = []

    def open_page(url: str, microphone: Path | None = None) -> Page:
        folder = tmp_path / f"page_{len(opened)}"
        folder.mkdir()
        opened.append(Page(chromium, folder, microphone))
        opened[-1].open(url)
        return opened[-1]

    yield open_page
    for page in opened:
        page.close()


@pytest.fixture
def signed_in(system: System, open_page: OpenPage) -> Callable[..., Page]:
    """Opens the page: ``signed_in("/meetings/...", microphone=wav)``; as the demo user, or whoever ``rest`` is."""
    if not (ROOT / "web" / "dist" / "index.html").is_file():
        skip_unless_ci(WITHOUT_PAGE)

    def signed_in(path: str = "/", microphone: Path | None = None, rest: Rest | None = None) -> Page:
        page = open_page(system.gateway, microphone=microphone)
        page.evaluate("(token) => localStorage.setItem('meetra-token', token)", (rest or system.login()).token)
        page.open(f"{system.gateway}/?signed-in#{path}")
        page.wait_for("main#main")
        return page

    return signed_in


@pytest.fixture
def person(signed_in: Callable[..., Page], system: System) -> Person:
    """The demo user, signed in."""
    return Person(signed_in(), system.gateway)
