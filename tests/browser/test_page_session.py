"""Who uses the page, in a real Chromium: tokens that expire, users and meetings that follow each other."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.browser.chromium import Page
from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

SEARCH = ".transcript input[type=search]"
DIALOG = "css=dialog.sign-in-again[open]"
# Ends every session of the page without the page's knowing, and tells whose calls are made.
WATCHED = """() => {
  const real = window.fetch;
  window.callers = [];
  window.fetch = (url, options) => {
    if (String(url).endsWith("/api/logout")) return Promise.reject(new TypeError("no network"));
    window.callers.push(new Headers(options?.headers).get("authorization"));
    return real(url, options);
  };
}"""


@pytest.fixture(scope="module")
def meetings(rest: Rest) -> tuple[str, str]:
    first = rest.analysed(excerpt(12, mark="first of two"), name="The first")
    return first, rest.analysed(excerpt(12, mark="second of two"), name="The second")


@pytest.fixture
def report(signed_in: Callable[..., Page], meetings: tuple[str, str]) -> Page:
    page = signed_in(f"/meetings/{meetings[0]}")
    page.wait_for(".sentence")
    return page


def token_of(page: Page) -> str:
    token: str = page.evaluate("() => localStorage.getItem('meetra-token')")
    return token


def sign_in(page: Page, form: str, email: str, password: str) -> None:
    page.fill(f'{form} input[name="email"]', email)
    page.fill(f'{form} input[name="password"]', password)
    page.press("Enter")


def test_signing_in_again_stays_open_and_gives_the_keyboard_back(system: System, report: Page) -> None:
    headers = {"authorization": f"Bearer {token_of(report)}"}
    httpx.post(f"{system.gateway}/api/logout", headers=headers, json={}).raise_for_status()
    report.evaluate("(field) => document.querySelector(field).focus()", SEARCH)
    report.evaluate("() => document.querySelector('.export-menu button').click()")
    report.wait_for(DIALOG)
    # Chromium closes a dialog at the second Escape, whatever the page says.
    report.press("Escape", "Escape", "Escape")
    report.wait_for(DIALOG)
    sign_in(report, "dialog", system.email, system.password)
    report.wait_for(DIALOG, "hidden")
    assert report.evaluate("(field) => document.activeElement.matches(field)", SEARCH)


def test_no_call_is_made_in_the_name_of_who_has_signed_out(system: System, report: Page) -> None:
    former = token_of(report)
    report.evaluate(WATCHED)
    report.click('role=button[name="Sign out"]')
    report.wait_for("css=main.sign-in")
    report.evaluate("() => { window.callers.length = 0; }")
    sign_in(report, "main.sign-in", system.email, system.password)
    report.wait_for(".sentence")
    callers = report.evaluate("() => window.callers.filter((caller) => caller !== null)")
    assert set(callers) == {f"Bearer {token_of(report)}"}
    assert former != token_of(report)


def test_another_user_finds_nothing_of_the_former_one(system: System, report: Page) -> None:
    added = system.meetra("users", "add", "another@example.org", "--role", "member").stdout
    password = added.split("password ")[1].split()[0]
    report.click("css=.sentence-correct >> nth=0")
    report.fill(".sentence-editor textarea", "Typed by the former user.")
    report.evaluate("() => { window.former = true; }")
    headers = {"authorization": f"Bearer {token_of(report)}"}
    httpx.post(f"{system.gateway}/api/logout", headers=headers, json={}).raise_for_status()
    report.press("Enter")
    report.wait_for(DIALOG)
    sign_in(report, "dialog", "another@example.org", password)
    report.wait_for(DIALOG, "hidden")
    report.wait_for("main#main")
    # The page is another, and what was typed is gone.
    assert report.evaluate("() => window.former") is None
    assert report.evaluate("() => Object.keys(sessionStorage)") == []


def test_nothing_of_a_meeting_is_shown_as_another_s(report: Page, meetings: tuple[str, str]) -> None:
    assert report.evaluate("() => document.title") == "The first · Meetra"
    # No answer comes.
    report.evaluate("() => { window.answers = window.fetch; window.fetch = () => new Promise(() => undefined); }")
    report.evaluate("(hash) => { location.hash = `/meetings/${hash}`; }", meetings[1])
    report.wait_for("css=main h1", "hidden")
    assert report.evaluate("() => document.querySelectorAll('.sentence').length") == 0
    report.evaluate("() => { window.fetch = window.answers; history.back(); }")
    report.wait_for('css=main h1 >> text="The first"')


def test_an_answer_that_lacks_something_says_what_to_do(report: Page) -> None:
    # As a server answers whose meetings have no people yet.
    report.evaluate("""() => {
      const real = window.fetch;
      window.fetch = async (url, options) => {
        const answer = await real(url, options);
        if (new URL(url).pathname !== "/single-feature-api/meetings") return answer;
        const { meetings } = await answer.json();
        return Response.json({ meetings: meetings.map(({ people, ...older }) => older), next_page_token: "" });
      };
    }""")
    report.click('role=link[name="Meetings"]')
    report.wait_for("role=alert >> text=the server is older than it")
    report.wait_for('role=button[name="Reload"]')
    # The rest of the page works.
    report.click('role=link[name="Search"]')
    report.wait_for('role=heading[name="Search"]')
