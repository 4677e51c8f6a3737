"""Every page in a real Chromium, for everybody: axe, phones, paper, names from right to left, no motion."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.chromium import Page
from tests.browser.conftest import OpenPage
from tests.e2e.conftest import Rest, System
from tests.recordings import ROOT, excerpt

ROUTES = ROOT / "web" / "src" / "routes.ts"
# Of each pattern of the routes a path; `{}` is a meeting.
PATHS = {
    "/": "/",
    "/meetings/:fileHash/*": "/meetings/{}",
    "/live/*": "/live",
    "/overtime/*": "/overtime",
    "/search/*": "/search?q=budget",
    "/settings/*": "/settings",
}
PHONE, PAPER, DESK = (390, 844), (800, 1100), (1280, 900)
MEETING_NAME, SPEAKER_NAME = "اجتماع التخطيط الأسبوعي", "דניאל מאיר"
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Texts that run on after a name from right to left, and would be written in its direction.
MIXED = """(names) => {
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { textContent, parentElement } = texts.currentNode;
    const name = names.find((one) => textContent.includes(one));
    if (!name || parentElement.closest("bdi, [dir=auto], title, dialog:not([open])")) continue;
    const alone = parentElement.textContent.trim() === name;
    if (!alone) found.push(parentElement.outerHTML.slice(0, 300));
  }
  return found;
}"""
MOVING = "() => document.getAnimations().map((animation) => animation.effect.target.outerHTML.slice(0, 200))"
# Numbers, times and headings stay on paper, where nothing opens.
CONTROLS = """() => [...document.querySelectorAll("button, input, select, textarea, nav")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !element.matches(".measured-open, .link, .sentence-time, th > button"))
  .map((element) => element.outerHTML.slice(0, 200))"""
FOLDED = """() => [...document.querySelectorAll("details > :not(summary)")]
  .filter((element) => element.parentElement.checkVisibility() && !element.checkVisibility())
  .map((element) => element.outerHTML.slice(0, 200))"""
IMAGES_WITHOUT_WORDS = """() => [...document.querySelectorAll("main svg")].filter((svg) =>
  !svg.closest("[aria-hidden=true]") && !svg.getAttribute("aria-label") && !svg.querySelector("title")
  && !svg.getAttribute("aria-labelledby")).map((svg) => svg.outerHTML.slice(0, 200))"""

each_page = pytest.mark.parametrize(
    "path",
    [
        pytest.param(PATHS["/"], id="meetings"),
        pytest.param(PATHS["/meetings/:fileHash/*"], id="meeting"),
        pytest.param(PATHS["/live/*"], id="live"),
        pytest.param(PATHS["/overtime/*"], id="over time"),
        pytest.param(PATHS["/search/*"], id="search"),
        pytest.param(PATHS["/settings/*"], id="settings"),
    ],
)


@pytest.fixture(scope="module")
def meeting(rest: Rest) -> str:
    """One whose name, and a speaker's, are written from right to left."""
    file_hash = rest.analysed(excerpt(60, mark="everybody"), name=MEETING_NAME, date="2026-11-23")
    speaker = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"][0]["id"]
    renamed = rest.http.put(f"/api/meeting/speakers/{speaker}", json={"alias": SPEAKER_NAME})
    assert renamed.status_code == 200
    return file_hash


@pytest.fixture
def show(signed_in: Callable[..., Page], meeting: str) -> Callable[[str], Page]:
    """Opens a page, once it shows what it asked for."""

    def show(path: str) -> Page:
        page = signed_in(path.format(meeting))
        page.wait_for("css=main h1")
        page.wait_for("css=main >> text=Loading", "hidden")
        return page

    return show


def test_no_page_is_left_out() -> None:
    patterns = re.findall(r'pattern: "([^"]+)"', ROUTES.read_text(encoding="utf-8"))
    assert patterns == list(PATHS)


@each_page
def test_a_page_is_for_everybody(show: Callable[[str], Page], system: System, path: str) -> None:
    page = show(path)
    for size in (DESK, PHONE):
        for colours in ("light", "dark"):
            page.emulate(size, colorScheme=colours, reducedMotion="reduce")
            assert page.violations() == [], f"{size}, {colours}"
            assert page.evaluate(WIDER) <= 0, f"wider than {size}"
    assert page.evaluate(MOVING) == []
    assert page.evaluate(MIXED, [MEETING_NAME, SPEAKER_NAME]) == []
    assert page.evaluate(IMAGES_WITHOUT_WORDS) == []
    page.emulate(PAPER, media="print")
    assert page.violations() == []
    assert page.evaluate(CONTROLS) == []
    assert page.evaluate(FOLDED) == []
    assert page.evaluate(WIDER) <= 0
    assert {url for url in page.requests() if not url.startswith(system.gateway)} == set()
    assert "[uncaught]" not in page.console(), page.console()


def test_signing_in_is_for_everybody(open_page: OpenPage, system: System) -> None:
    page = open_page(system.gateway)
    page.wait_for('input[name="password"]')
    for size in (DESK, PHONE):
        for colours in ("light", "dark"):
            page.emulate(size, colorScheme=colours)
            assert page.violations() == [], f"{size}, {colours}"
            assert page.evaluate(WIDER) <= 0
    # Those who read by ear hear what each field is, and where they are.
    assert page.evaluate("() => document.documentElement.lang") == "en"
    assert page.evaluate("() => document.title")
