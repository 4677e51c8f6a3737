"""The page "Over time" in a real Chromium: meetings side by side, their trends, one person's, and two compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.e2e.conftest import Rest, System
from tests.recordings import RATE_HZ, sample_pcm, wav

SCORES = "/api/organization/meeting-scores"
PHONE = (390, 844)
RIGHT_TO_LEFT = "اجتماع التخطيط"
LONG = "Retrospective with a name that needs more room than the screen of a phone has"
ROWS = """() => [...document.querySelectorAll(".side-by-side tbody tr")].map((row) =>
  [...row.children].map((cell) => cell.innerText.split("\\n")[0]))"""
TEXT = "() => document.querySelector('main').innerText"
CONTROLS = """() => [...document.querySelectorAll("button, input, select, nav")]
  .filter((element) => element.checkVisibility()).length"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Organization:
    """One whose meetings nobody else's test adds to."""

    gateway: str
    rest: Rest
    hashes: tuple[str, ...]
    """Of its meetings, the latest held first; the first has too little speech."""


@pytest.fixture(scope="module")
def organization(system: System) -> Organization:
    """Voices are recognised; four meetings, uploaded in another order than they were held in."""
    said = system.meetra("users", "add", "time@example.org", "--organization", "Over time", "--role", "owner")
    rest = system.login("time@example.org", said.stdout.split("password ")[1].split()[0])
    rest.http.put("/api/voices/settings", json={"recognise": True})
    parts = {
        "2026-03-02": (RIGHT_TO_LEFT, 0, 60),
        "2026-01-05T10:00:00+01:00": ("Weekly meeting", 5, 65),
        "2026-W06-1": (LONG, 10, 70),
        "2026-11-23": ("Four seconds", 0, 4),
    }
    found = {
        date: rest.analysed(
            wav(sample_pcm()[start * RATE_HZ : end * RATE_HZ], mark=f"over time {date}"), name=name, date=date
        )
        for date, (name, start, end) in parts.items()
    }
    order = ("2026-11-23", "2026-03-02", "2026-W06-1", "2026-01-05T10:00:00+01:00")
    return Organization(system.gateway, rest, tuple(found[date] for date in order))


@pytest.fixture
def show(organization: Organization, signed_in: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the page at what follows its address."""

    def show(query: str = "", wait: str = "css=.side-by-side") -> Page:
        page = signed_in(f"/overtime{query}", rest=organization.rest)
        page.wait_for(wait)
        return page

    return show


def stored(organization: Organization) -> list[dict[str, Any]]:
    meetings: list[dict[str, Any]] = organization.rest.http.get(SCORES).json()["meetings"]
    return meetings


def test_meetings_stand_side_by_side_in_the_order_in_which_they_were_held(
    show: Callable[..., Page], organization: Organization
) -> None:
    meetings = stored(organization)
    assert [meeting["file_hash"] for meeting in meetings] == list(organization.hashes)
    page = show()
    rows = page.evaluate(ROWS)[:4]
    assert [row[1] for row in rows] == ["Four seconds", RIGHT_TO_LEFT, LONG, "Weekly meeting"]
    names = ("quality_score", "balance_score", "meeting_interaction_score", "meeting_energy", "sentiment_score")
    for row, meeting in zip(rows[1:], meetings[1:], strict=True):
        assert [int(cell) for cell in row[2:7]] == [int(meeting[name] + 0.5) for name in names]
    assert rows[0][2:7] == ["–"] * 5
    assert "requires 2 speakers; found 1" in page.evaluate(
        "() => document.querySelector('.side-by-side .hidden').innerText"
    )
    shown = page.evaluate(TEXT)
    assert "4 meetings." in shown
    assert "on average of 3 meetings" in shown
    # Of each chart three points: what was not measured is no point.
    assert (
        page.evaluate(
            "() => [...document.querySelectorAll('svg.trend')].map((s) => s.querySelectorAll('circle').length)"
        )
        == [3] * 5
    )


def test_a_number_opens_how_it_is_computed(show: Callable[..., Page], organization: Organization) -> None:
    metrics = {metric["name"]: metric for metric in organization.rest.http.get("/api/metrics").json()["metrics"]}
    page = show()
    page.click('css=.side-by-side button.explained:has-text("Interaction")')
    page.wait_for('css=dialog[open] >> text="Its parts"')
    shown = page.evaluate("() => document.querySelector('dialog[open]').textContent")
    interaction = metrics["meeting_interaction_score"]
    assert interaction["definition"].replace("`", "") in shown
    assert interaction["interpretation"] in shown
    assert f"{interaction['errors'][0]['value']} points, mean absolute error" in shown
    assert all(part["name"].replace("_", " ") in shown for part in interaction["parts"])
    assert page.violations("dialog[open]") == []
    page.press("Escape")
    page.wait_for("css=dialog[open]", "hidden")
    assert page.evaluate("() => document.activeElement.innerText") == "Interaction"


def test_two_meetings_are_chosen_and_compared_with_the_keyboard_alone(
    show: Callable[..., Page], organization: Organization
) -> None:
    page = show()
    page.evaluate("() => document.querySelector('.compare-bar').scrollIntoView()")
    assert page.evaluate("() => document.querySelector('.compare-bar button').disabled")

    def tab_to(found: str) -> None:
        for _ in range(80):
            page.press("Tab")
            if page.evaluate(f"() => {found}"):
                return
        raise AssertionError(f"no way by keyboard to {found}")

    for name in (RIGHT_TO_LEFT, LONG):
        tab_to(f"document.activeElement.getAttribute('aria-label') === 'Compare {name}'")
        page.press("Space")
    while not page.evaluate("() => document.activeElement.matches('.compare-bar button')"):
        page.press("Shift+Tab")
    page.press("Enter")
    page.wait_for('text="Two meetings compared"')
    page.wait_for("css=.compared")
    first, second = (stored(organization)[index] for index in (1, 2))
    rows = {row[0]: row[1:] for row in page.evaluate(ROWS)}
    shown = [int(first["quality_score"] + 0.5), int(second["quality_score"] + 0.5)]
    assert [int(cell) for cell in rows["Quality"][:2]] == shown
    assert set(rows) >= {"Balance", "even talk shares", "Silence", "Response latency"}
    # Of the same recording, a few seconds apart: the difference is no difference.
    assert "less than its known error" in page.evaluate(TEXT)
    assert page.violations() == []
    page.emulate(PHONE)
    assert page.evaluate(WIDER) <= 0


def test_a_person_is_followed_across_meetings(show: Callable[..., Page], organization: Organization) -> None:
    page = show(wait='css=h2:has-text("People across meetings")')
    voice = organization.rest.http.get("/api/voices").json()["voices"][0]
    theirs = organization.rest.http.get(SCORES, params={"voice": voice["id"]}).json()["meetings"]
    assert 0 < len(theirs) < 4
    page.choose("css=.chosen-meetings select", voice["id"])
    page.wait_for('css=h2:has-text("across meetings")')
    page.wait_for(f'css=p[role=status]:has-text("{len(theirs)} meeting")')
    (part,) = (p for p in theirs[0]["participants"] if p.get("voice") == voice["id"])
    first = page.evaluate(ROWS)[0]
    assert first[:3] == [
        theirs[0]["name"],
        f"{int(part['meeting_speaking_percentage'] + 0.5)} %",
        str(part["turns"]),
    ]
    assert page.violations() == []
    page.click('role=button[name="Show all"]')
    page.wait_for('css=p[role=status]:has-text("4 meetings")')


def test_what_is_chosen_stands_in_the_address(show: Callable[..., Page]) -> None:
    page = show("?from=2026-02-01&to=2026-03-02")
    assert [row[1] for row in page.evaluate(ROWS)[:2]] == [RIGHT_TO_LEFT, LONG]
    assert "2 meetings." in page.evaluate(TEXT)
    # What is no day limits nothing.
    assert "4 meetings." in show("?from=soon").evaluate(TEXT)
    page = show("?from=2999-01-01", wait="text=No finished meeting was held then")
    assert page.evaluate("() => document.querySelectorAll('.side-by-side').length") == 0


@pytest.mark.parametrize(
    ("query", "told"),
    [
        pytest.param("?voice=Ada", "voice: not a UUID", id="no voice"),
        pytest.param("?voice=00000000-0000-4000-8000-000000000000", "Voice not found", id="unknown voice"),
        pytest.param(f"?compare={'a' * 64},{'b' * 64}", "not finished, or was deleted", id="unknown meetings"),
    ],
)
def test_a_damaged_address_says_what_is_wrong(show: Callable[..., Page], query: str, told: str) -> None:
    show(query, wait=f"css=[role=alert]:has-text('{told}')")


def test_everybody_can_read_it(show: Callable[..., Page], organization: Organization) -> None:
    page = show()
    for colours in ("light", "dark"):
        page.emulate(colorScheme=colours, reducedMotion="reduce")
        assert page.violations() == [], colours
    page.emulate(PHONE, colorScheme="light")
    assert page.violations() == []
    assert page.evaluate(WIDER) <= 0
    # A name that is written from right to left stays by itself.
    assert page.evaluate(
        """(name) => [...document.querySelectorAll("main *")].filter((element) =>
             element.children.length === 0 && element.textContent.includes(name) && !element.closest("svg"))
             .every((element) => element.closest("bdi"))""",
        RIGHT_TO_LEFT,
    )
    page.emulate((800, 1100), media="print")
    assert page.evaluate(WIDER) <= 0
    assert page.evaluate(CONTROLS) == 0
    assert "Balance" in page.evaluate(TEXT)
    assert {url for url in page.requests() if not url.startswith(organization.gateway)} == set()
    assert "[error]" not in page.console(), page.console()
    assert "[uncaught]" not in page.console(), page.console()
