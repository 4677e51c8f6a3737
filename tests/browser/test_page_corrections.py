"""Correcting a meeting in its page, in a real Chromium: by keyboard alone, and what is typed is never lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.browser.chromium import Page
from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

M = "/single-feature-api/meeting"
EDITOR = "css=.sentence-editor"
WORDS = f"{EDITOR} textarea"
WHO = f"{EDITOR} select"


@pytest.fixture(scope="module")
def meeting(rest: Rest) -> str:
    return rest.analysed(excerpt(40, mark="corrected in the page"), name="Corrected meeting")


@pytest.fixture
def report(signed_in: Callable[..., Page], rest: Rest, meeting: str) -> Page:
    """The page of the meeting, without corrections."""
    while any(not one["undone"] for one in history(rest, meeting)):
        undone = rest.http.post("/api/meeting/speakers/undo", params={"file-hash": meeting})
        assert undone.status_code == 200, undone.text
    page = signed_in(f"/meetings/{meeting}")
    page.wait_for(".sentence")
    page.wait_for('role=heading[name="History"]')
    return page


def history(rest: Rest, file_hash: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rest.get(f"{M}/corrections", file_hash=file_hash).json()["corrections"]
    return found


def speakers(rest: Rest, file_hash: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    return found


def typed(page: Page) -> str:
    """What the open editor holds."""
    found: str = page.evaluate("() => document.querySelector('.sentence-editor textarea').value")
    return found


def sentences(rest: Rest, file_hash: str) -> list[dict[str, Any]]:
    asked = {"file-hash": file_hash, "include_details": "true"}
    details = rest.http.get(f"{M}/transcription", params=asked).json()["details"]
    found: list[dict[str, Any]] = details["sentences"]
    return found


def open_editor(page: Page) -> None:
    """Open the first sentence's, by keyboard: from its time to what corrects it."""
    page.evaluate("() => document.querySelector('.sentence-time').focus()")
    page.press("Tab")
    assert page.evaluate("() => document.activeElement.matches('.sentence-correct')")
    page.press("Enter")
    page.wait_for(f"{WORDS}:focus")


def test_words_are_corrected_and_undone_by_keyboard_alone(report: Page, rest: Rest, meeting: str) -> None:
    first = sentences(rest, meeting)[0]
    open_editor(report)
    assert report.violations(".transcript") == []
    # The words are selected: typing replaces them.
    report.type_text("Do zebras like green tea?")
    report.press("Enter")
    report.wait_for(EDITOR, "hidden")
    report.wait_for('css=[data-index="0"] >> text="(corrected)"')
    report.wait_for('css=[data-index="0"] >> text=Do zebras like green tea?')
    corrected = sentences(rest, meeting)[0]
    assert (corrected["text"], corrected["original_text"]) == ("Do zebras like green tea?", first["text"])
    # What is made of words follows, here the questions.
    report.wait_for("css=.report-main >> text=Do zebras like green tea?")
    assert report.evaluate("() => document.activeElement.matches('.sentence-correct')")
    report.evaluate("() => document.querySelector('.correction-history button').focus()")
    report.press("Enter")
    report.wait_for('role=status >> text="Undone."')
    report.wait_for('css=[data-index="0"] >> text="(corrected)"', "hidden")
    assert sentences(rest, meeting)[0] == first
    report.wait_for("css=.correction-history li.undone")
    report.click('role=button[name="Redo"]')
    report.wait_for('css=[data-index="0"] >> text="(corrected)"')
    assert sentences(rest, meeting)[0] == corrected
    report.click('role=button[name="Undo the latest correction"]')
    report.wait_for('css=[data-index="0"] >> text="(corrected)"', "hidden")
    assert report.violations() == []
    assert "[error]" not in report.console(), report.console()


def test_a_sentence_that_nobody_said_is_removed_and_put_back(report: Page, rest: Rest, meeting: str) -> None:
    first = sentences(rest, meeting)[0]
    open_editor(report)
    report.click(f'{EDITOR} >> role=button[name="Nobody said this"]')
    report.wait_for(EDITOR, "hidden")
    report.wait_for('css=[data-index="0"] >> text="(removed)"')
    # What was recognised stays to be seen, struck through.
    assert report.evaluate("() => document.querySelector('[data-index=\"0\"] s').innerText") == first["text"]
    removed = sentences(rest, meeting)[0]
    assert (removed["text"], removed["original_text"]) == ("", first["text"])
    assert first["text"] not in rest.http.get(f"{M}/export", params={"file-hash": meeting, "format": "txt"}).text
    report.wait_for("css=.correction-history li >> text=was removed")
    assert report.violations() == []
    open_editor(report)
    report.click(f'{EDITOR} >> role=button[name="Use this"]')
    report.click(f'{EDITOR} >> role=button[name="Save"]')
    report.wait_for(EDITOR, "hidden")
    report.wait_for('css=[data-index="0"] >> text="(removed)"', "hidden")
    assert sentences(rest, meeting)[0] == first


def test_escape_gives_a_correction_up(report: Page, rest: Rest, meeting: str) -> None:
    open_editor(report)
    report.type_text("Nobody said this.")
    report.press("Escape")
    report.wait_for(EDITOR, "hidden")
    report.wait_for('css=[data-index="0"] .sentence-correct:focus')
    assert all(one["undone"] for one in history(rest, meeting))
    open_editor(report)
    assert typed(report) == sentences(rest, meeting)[0]["text"]


def test_the_editor_fits_a_phone(report: Page) -> None:
    report.emulate((390, 844))
    report.click('role=button[name="Transcript"]')
    report.click("css=.sentence-correct >> nth=0")
    report.wait_for(WORDS)
    measured = "() => ((one) => [one.scrollWidth, one.clientWidth])(document.querySelector('.transcript-scroll'))"
    inside, width = report.evaluate(measured)
    assert inside <= width
    assert report.violations() == []


def test_a_sentence_is_given_to_somebody_else(report: Page, rest: Rest, meeting: str) -> None:
    first = sentences(rest, meeting)[0]
    open_editor(report)
    report.choose(WHO, "new")
    report.click(f'{EDITOR} >> role=button[name="Save"]')
    report.wait_for(EDITOR, "hidden")
    report.wait_for('css=[data-index="0"] >> text="(speaker corrected)"')
    moved = sentences(rest, meeting)[0]
    assert moved["original_speaker"] == first["speaker"] != moved["speaker"]
    assert moved["speaker"] in [one["id"] for one in speakers(rest, meeting)]


def test_people_are_renamed_merged_and_split(report: Page, rest: Rest, meeting: str) -> None:
    def names() -> list[str]:
        return [one["alias"] for one in speakers(rest, meeting)]

    before = names()
    report.fill(".speaker-corrections input[dir=auto]", "Zoë ‎Łukasz")
    report.click('role=button[name="Rename"]')
    report.wait_for("role=status >> text=Renamed to Zoë")
    report.wait_for("css=.sentence-speaker >> text=Zoë")
    renamed = names()[0]
    report.click('role=button[name="Merge"]')
    report.wait_for("role=status >> text=Merged into")
    assert len(names()) == len(before) - 1
    assert renamed not in names()
    report.fill(".speaker-corrections .moment >> nth=0", "0:00")
    report.fill(".speaker-corrections .moment >> nth=1", "soon")
    report.click('role=button[name="Split"]')
    report.wait_for("role=alert >> text=minutes:seconds")
    report.click('role=button[name="Undo the latest correction"]')
    report.wait_for('role=status >> text="Undone."')
    assert names()[0] == renamed
    first = sentences(rest, meeting)[0]
    split = [one for one in sentences(rest, meeting) if one["speaker"] == first["speaker"]]
    assert len(split) > 1
    report.fill(".speaker-corrections .moment >> nth=1", f"{(first['end_ms'] // 1000) + 1}")
    report.click('role=button[name="Split"]')
    report.wait_for("role=status >> text=has what was said in that time")
    assert len(names()) == len(before) + 1


def test_what_is_typed_outlives_an_expired_token(system: System, report: Page, rest: Rest, meeting: str) -> None:
    open_editor(report)
    report.type_text("Typed before the token expired.")
    token = report.evaluate("() => localStorage.getItem('meetra-token')")
    httpx.post(f"{system.gateway}/api/logout", headers={"authorization": f"Bearer {token}"}, json={}).raise_for_status()
    report.press("Enter")
    report.wait_for('css=dialog[open] >> text="Sign in again"')
    report.fill('dialog input[name="email"]', system.email)
    report.fill('dialog input[name="password"]', system.password)
    report.press("Enter")
    report.wait_for("css=dialog[open]", "hidden")
    # The call that was refused was made again.
    report.wait_for('css=[data-index="0"] >> text="(corrected)"')
    assert sentences(rest, meeting)[0]["text"] == "Typed before the token expired."


def test_what_is_typed_outlives_a_restart_and_a_reloaded_page(
    system: System, report: Page, rest: Rest, meeting: str
) -> None:
    open_editor(report)
    report.type_text("Typed before the restart.")
    with system.paused():
        system.kill("api")
        report.press("Enter")
        report.wait_for(f"{EDITOR} >> role=alert >> text=What you typed is kept")
        assert typed(report) == "Typed before the restart."
    assert rest.settled(meeting)["status"] == "ready"
    report.reload()
    report.wait_for(WORDS)
    assert typed(report) == "Typed before the restart."
    report.click(f'{EDITOR} >> role=button[name="Save"]')
    report.wait_for('css=[data-index="0"] >> text="(corrected)"')
    assert sentences(rest, meeting)[0]["text"] == "Typed before the restart."
    assert report.evaluate("() => Object.keys(sessionStorage)") == []


def test_what_somebody_else_corrected_is_shown_before_it_is_replaced(report: Page, rest: Rest, meeting: str) -> None:
    open_editor(report)
    report.type_text("What I heard.")
    theirs = rest.http.put(f"{M}/sentences/1/text", params={"file-hash": meeting}, json={"text": "What they heard."})
    assert theirs.status_code == 200, theirs.text
    report.press("Enter")
    report.wait_for("role=alert >> text=It reads now: What they heard.")
    assert sentences(rest, meeting)[0]["text"] == "What they heard."
    report.click(f'{EDITOR} >> role=button[name="Save mine"]')
    report.wait_for(EDITOR, "hidden")
    assert sentences(rest, meeting)[0]["text"] == "What I heard."
    assert [one["former_text"] for one in history(rest, meeting)[:1]] == ["What they heard."]


def test_drafts_are_gone_with_whoever_typed_them(report: Page) -> None:
    open_editor(report)
    report.type_text("Mine alone.")
    assert report.evaluate("() => Object.keys(sessionStorage).length") == 1
    report.click('role=button[name="Sign out"]')
    report.wait_for('input[name="password"]')
    assert report.evaluate("() => Object.keys(sessionStorage)") == []
