"""The page "Search" in a real Chromium: asked, found with reasons, opened where it was said; by keyboard, and axe."""

from __future__ import annotations

import pytest

from tests.browser.person import Person
from tests.e2e.conftest import Rest
from tests.recordings import excerpt

MARKED = "() => [...document.querySelectorAll('.search-results mark')].map((mark) => mark.innerText)"
LINKS = "() => [...document.querySelectorAll('.search-results a')].map((link) => link.getAttribute('href'))"
SUBMIT = """() => {
  const form = document.querySelector(".search-form");
  form.querySelector("input").focus();
  form.requestSubmit();
}"""


@pytest.fixture(scope="module")
def talk(rest: Rest) -> str:
    """A meeting of these tests alone."""
    return rest.analysed(excerpt(50, mark="page search"), name="Übergabe <b>1</b>", date="2026-03-02")


def said_in(rest: Rest, file_hash: str) -> str:
    """The longest statement's first words."""
    entries = rest.get("/single-feature-api/meeting/transcription", file_hash=file_hash).json()["Transcription"]
    longest: str = max((entry["transcription"] for entry in entries), key=len)
    return " ".join(longest.split()[:12])


def test_a_sentence_is_found_with_its_reason_and_opened_where_it_was_said(
    person: Person, rest: Rest, talk: str
) -> None:
    person.go("/search")
    person.reads("Words or a question")
    person.fill("Words or a question", said_in(rest, talk))
    person.page.evaluate(SUBMIT)
    # Names are shown as they are, and never as markup.
    person.reads("Übergabe <b>1</b>", "Words:", "Meaning:")
    person.check()
    # Other tests' meetings say the same.
    found, *_ = [link for link in person.page.evaluate(LINKS) if link.startswith(f"#/meetings/{talk}?at=")]
    assert person.page.evaluate(MARKED)
    # What was asked is in the address: going back brings it again.
    assert "q=" in person.page.evaluate("() => location.hash")
    person.page.evaluate("(link) => { location.hash = link; }", found)
    person.reads("Übergabe <b>1</b>")
    person.page.evaluate("() => history.back()")
    person.until(lambda: person.page.evaluate(LINKS))


def test_conditions_leave_out_what_does_not_fit(person: Person, rest: Rest, talk: str) -> None:
    person.go("/search")
    person.reads("Words or a question")
    person.fill("Words or a question", said_in(rest, talk))
    person.fill("Person", "nobody of this name")
    person.page.evaluate(SUBMIT)
    person.reads("Nothing was found")
    person.check()


def test_what_the_server_refuses_is_said_beside_what_was_asked(person: Person) -> None:
    person.go("/search?q=x&language=!!")
    person.reads("language")
    assert person.value("Words or a question") == "x"
    person.go("/search?q=%3F%21")
    person.reads("no word to search for")
