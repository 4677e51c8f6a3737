"""A meeting's page in a real Chromium: signing in, report, transcript, the keyboard alone, and hours of speech."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import asyncpg
import httpx
import pytest

from benchmarks.rest import HASH, repeated, store
from server.conversation import Conversation
from tests.browser.chromium import Page
from tests.browser.conftest import OpenPage
from tests.e2e.conftest import Rest, System
from tests.recordings import SAMPLE, excerpt, solo, wav

SignedIn = Callable[..., Page]
M = "/single-feature-api/meeting"
# So many rows of a transcript are drawn at once, at most: what can be seen, and some above and below.
DRAWN = 120
# The choice of periods: 300 s are always among them.
PERIOD = 'select:has(option[value="300"])'
TILE = 'css=.measured-open:has-text("{}")'


@pytest.fixture(scope="module")
def meeting(rest: Rest) -> str:
    """The sample: four people, English, 73 s."""
    return rest.analysed(SAMPLE.read_bytes(), name="Weekly meeting", date="2026-11-23")


@pytest.fixture(scope="module")
def long_meeting(system: System, meeting: str) -> str:
    """The same said for two hours: more than 2,000 sentences."""

    async def file() -> None:
        connection = await asyncpg.connect(system.database_url)
        try:
            document = await connection.fetchval(
                "SELECT document FROM conversations JOIN meetings ON id = meeting_id WHERE file_hash = $1", meeting
            )
        finally:
            await connection.close()
        conversation = repeated(Conversation.from_document(json.loads(document)), 2)
        assert len(conversation.sentences) > 2000
        await store(system.database_url, system.email, conversation, others=0)

    asyncio.run(file())
    return HASH


@pytest.fixture
def report(signed_in: SignedIn, meeting: str) -> Page:
    """The sample's page, with everything on it."""
    page = signed_in(f"/meetings/{meeting}")
    for shown in (TILE.format("Energy"), ".sentence", ".emotion-grid", ".interaction-map", "text=Audio quality"):
        page.wait_for(shown)
    return page


def text_of(page: Page, selector: str) -> str:
    """The visible text of an element."""
    found: str = page.evaluate("(selector) => document.querySelector(selector).innerText", selector)
    return found


def test_signing_in_says_what_is_wrong_and_leads_to_the_meetings(system: System, open_page: OpenPage) -> None:
    page = open_page(system.gateway)
    page.fill('input[name="email"]', system.email)
    page.fill('input[name="password"]', "not the password")
    page.press("Enter")
    page.wait_for('role=alert >> text="Invalid email or password"')
    # The password is selected: typing replaces it.
    page.type_text(system.password)
    page.press("Enter")
    page.wait_for("css=nav[aria-label=Main]")
    page.click('role=button[name="Sign out"]')
    page.wait_for('input[name="password"]')
    assert page.evaluate("() => localStorage.getItem('meetra-token')") is None


def test_the_page_runs_under_a_strict_policy_and_asks_no_other_host(system: System, report: Page) -> None:
    policy = httpx.get(system.gateway).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert {url for url in report.requests() if not url.startswith(system.gateway)} == set()
    # Chromium tells of each breach of the policy, and of each request that failed.
    assert "[error]" not in report.console(), report.console()
    assert "[uncaught]" not in report.console(), report.console()


def test_scores_are_those_of_the_api_and_open_what_they_are_made_of(report: Page, rest: Rest, meeting: str) -> None:
    scores = {
        "Meeting quality": rest.get(f"{M}/quality", file_hash=meeting).json()["quality_score"],
        "Balance": rest.get(f"{M}/balance-score", file_hash=meeting).json()["balance_score"],
        "Energy": rest.get(f"{M}/meeting-energy", file_hash=meeting).json()["meeting_energy"],
        "Sentiment": rest.get(f"{M}/meeting-sentiment", file_hash=meeting).json()["sentiment_score"],
    }
    shown = report.evaluate(
        "() => [...document.querySelectorAll('.measured-open')].map((tile) => tile.innerText.split('\\n'))"
    )
    by_name = {lines[0]: lines[1] for lines in shown}
    assert {name: by_name[name] for name in scores} == {name: f"{round(s)} of 100" for name, s in scores.items()}
    report.click(TILE.format("Energy"))
    report.wait_for("css=dialog[open] >> text=Vocal activation")
    behind = text_of(report, "dialog[open]")
    assert "Talking time" in behind
    assert "Version of the definition" in behind
    assert "From 1 min" in behind
    report.press("Escape")
    report.wait_for("css=dialog[open]", "hidden")


def test_lines_of_the_notes_lead_to_their_sentences(report: Page, rest: Rest, meeting: str) -> None:
    notes = rest.get(f"{M}/quality", file_hash=meeting).json()["context"]["notes"]
    line = max(notes["summary"], key=lambda one: one["sentences"][0]["start_ms"])
    number = line["sentences"][0]["number"]
    summary = 'css=section:has(h2:text-is("Summary"))'
    report.click(f'{summary} >> li:has-text("{line["text"]}") >> css=.cited button')
    report.wait_for(f'css=[data-index="{number - 1}"] .sentence.current')
    for heading in ("Action items", "Decisions", "Chapters"):
        report.wait_for(f'role=heading[name="{heading}"]')


def test_what_could_not_be_measured_says_why(signed_in: SignedIn, rest: Rest) -> None:
    alone = rest.analysed(wav(solo("rms")), name="One person")
    page = signed_in(f"/meetings/{alone}")
    page.wait_for(TILE.format("Balance"))
    tile = page.evaluate(
        "() => [...document.querySelectorAll('.measured-open')].map((tile) => tile.innerText)"
        ".find((text) => text.startsWith('Balance'))"
    )
    asked = {"file-hash": alone, "include_details": "true"}
    support = rest.http.get(f"{M}/balance-score", params=asked).json()["details"]["support"]
    assert not support["sufficient"]
    assert "Not measured" in tile
    assert support["reason"] in tile


def test_the_transcript_is_searched_and_played_from_by_keyboard_alone(report: Page) -> None:
    report.evaluate("() => document.querySelector('input[type=search]').focus()")
    report.type_text("MICROPHONE")
    report.wait_for("css=.sentence mark")
    assert text_of(report, ".sentence mark") == "microphone"
    assert "1 of 1" in text_of(report, ".transcript-tools")
    report.evaluate("() => document.querySelector('input[type=search]').select()")
    report.press("Delete")
    report.wait_for("css=.sentence mark", "hidden")
    # On from the search: previous and next are off without a search, then comes what follows, then the first sentence.
    report.press("Tab", "Tab")
    assert report.evaluate("() => document.activeElement.matches('.sentence-time')")
    report.press("ArrowDown", "ArrowDown")
    report.wait_for('css=[data-index="2"] .sentence-time:focus')
    report.press("Enter")
    report.wait_for('css=[data-index="2"] .sentence.current')
    slider = report.evaluate("() => document.querySelector('.player-slider').getAttribute('aria-valuetext')")
    assert slider == "0:07 of 1:12"


def test_the_meeting_is_heard_and_the_transcript_follows(report: Page) -> None:
    report.wait_for('role=button[name="Play"]')
    report.wait_for("css=svg.peaks")
    report.click('role=button[name="Play"]')
    # Sentence 2 begins at 7 s: nobody touches anything until then.
    report.wait_for('css=[data-index="2"] .sentence.current')
    report.click('role=button[name="Pause"]')
    report.wait_for('role=button[name="Play"]')
    heard = "() => document.querySelector('audio').currentTime"
    assert report.evaluate(heard) >= 7
    # And the other way round: a sentence, and a moment of a question, are gone to and played.
    report.click('css=[data-index="4"] .sentence-time')
    report.wait_for('css=[data-index="4"] .sentence.current')
    report.wait_for('role=button[name="Pause"]')
    assert report.evaluate(heard) >= 16
    report.click('role=button[name="Pause"]')
    # A link that has expired is an error of the element: another one goes on at the same place.
    before = report.evaluate(
        "() => { const audio = document.querySelector('audio'); audio.dispatchEvent(new Event('error'));"
        " audio.dataset.old = 'true'; return [audio.currentTime, audio.src]; }"
    )
    report.wait_for("css=audio:not([data-old])", "attached")
    after = report.evaluate("""async () => {
      const audio = document.querySelector("audio");
      while (audio.readyState < 1 || audio.seeking) await new Promise((resolve) => setTimeout(resolve, 50));
      return [audio.currentTime, audio.src];
    }""")
    assert after[0] == pytest.approx(before[0], abs=0.5)
    assert after[1] != before[1]
    # The same sound is saved as a file, and the recording as it was sent.
    report.evaluate("""() => {
      window.saved = [];
      HTMLAnchorElement.prototype.click = function () { window.saved.push(this.href); };
      const link = URL.createObjectURL;
      URL.createObjectURL = (file) => ((window.size = file.size), link.call(URL, file));
    }""")
    for number, variant in enumerate(("normalised", "original"), 1):
        report.choose("css=.export-menu select", variant)
        report.click('role=button[name="Save as file"]')
        report.evaluate(
            """async (number) => {
          while (window.saved.length < number) await new Promise((resolve) => setTimeout(resolve, 50));
        }""",
            number,
        )
        report.wait_for('role=button[name="Save as file"]')
    fetched = "async () => (await fetch(window.saved[0])).headers.get('content-type')"
    assert report.evaluate(fetched) == "audio/webm"
    assert report.evaluate("() => window.size") == SAMPLE.stat().st_size


def test_an_expired_token_loses_nothing(system: System, report: Page) -> None:
    report.fill("input[type=search]", "the word that I typed")
    token = report.evaluate("() => localStorage.getItem('meetra-token')")
    httpx.post(f"{system.gateway}/api/logout", headers={"authorization": f"Bearer {token}"}, json={}).raise_for_status()
    report.choose(f"css={PERIOD}", "30")
    report.wait_for('css=dialog[open] >> text="Sign in again"')
    assert report.violations() == []
    report.fill('dialog input[name="email"]', system.email)
    report.fill('dialog input[name="password"]', system.password)
    report.press("Enter")
    report.wait_for("css=dialog[open]", "hidden")
    # The call that was refused has been made again, and the page is as it was.
    report.wait_for('css=.chart >> text="0:00"')
    assert report.evaluate("() => document.querySelector('input[type=search]').value") == "the word that I typed"
    assert report.evaluate("(selector) => document.querySelector(selector).value", PERIOD) == "30"


def test_a_part_of_the_page_that_is_gone_says_to_reload(report: Page) -> None:
    report.set_offline(True)
    report.click('role=link[name="Settings"]')
    report.wait_for('role=button[name="Reload"]')
    report.set_offline(False)


def test_a_call_that_the_server_does_not_know_says_that_it_is_older(report: Page) -> None:
    # As a server answers that has no such call.
    report.evaluate("""() => {
      const real = window.fetch;
      window.fetch = (url, options) => real(String(url).replace("meeting-dynamics", "no-such-call"), options);
    }""")
    report.choose(f"css={PERIOD}", "30")
    report.wait_for("role=alert >> text=older than the page")


@pytest.mark.parametrize("scheme", ["light", "dark"], ids=["light", "dark"])
def test_nothing_keeps_people_with_disabilities_out(report: Page, scheme: str) -> None:
    report.emulate((1400, 1000), colorScheme=scheme)
    assert report.violations() == []
    report.click(TILE.format("Interaction"))
    report.wait_for("css=dialog[open]")
    assert report.violations("dialog[open]") == []
    report.press("Escape")
    report.emulate((390, 844), colorScheme=scheme)
    assert report.violations() == []
    # Nothing sticks out of a phone.
    assert report.evaluate("() => document.documentElement.scrollWidth") <= 390
    report.click('role=button[name="Transcript"]')
    report.wait_for(".sentence")
    assert report.violations() == []


def test_two_hours_are_drawn_as_they_are_scrolled_and_printed_whole(signed_in: SignedIn, long_meeting: str) -> None:
    page = signed_in(f"/meetings/{long_meeting}")
    page.wait_for(".sentence")
    count = "() => document.querySelectorAll('.sentence').length"
    assert 0 < page.evaluate(count) < DRAWN
    rows = page.evaluate("() => Number(document.querySelector('[role=listitem]').getAttribute('aria-setsize'))")
    assert rows > 2000
    seen = page.evaluate("""async () => {
      const scroller = document.querySelector(".transcript-scroll");
      const seen = new Set();
      let most = 0;
      for (let at = 0; at < 20; at++) {
        scroller.scrollTop = (at / 19) * scroller.scrollHeight;
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100)));
        const drawn = [...scroller.querySelectorAll("[data-index]")].map((row) => Number(row.dataset.index));
        for (const index of drawn) seen.add(index);
        most = Math.max(most, drawn.length);
      }
      return { most, last: Math.max(...seen) };
    }""")
    assert seen["most"] < DRAWN
    assert seen["last"] == rows - 1
    # The keyboard stays where it was, although that is no longer in sight, and goes on from there.
    page.evaluate("""async () => {
      const scroller = document.querySelector(".transcript-scroll");
      scroller.scrollTop = 0;
      await new Promise((resolve) => setTimeout(resolve, 200));
      scroller.querySelector('[data-index="3"] .sentence-time').focus();
      scroller.scrollTop = scroller.scrollHeight;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }""")
    page.press("ArrowDown")
    page.wait_for('css=[data-index="4"] .sentence-time:focus')
    page.emulate(media="print")
    page.wait_for(f".sentence >> nth={rows - 1}", "attached")
    assert page.evaluate(count) == rows


def test_a_meeting_under_way_shows_its_progress_and_then_its_report(signed_in: SignedIn, rest: Rest) -> None:
    file_hash = rest.upload(excerpt(20, mark="progress"), name="Under way").json()["file_hash"]
    page = signed_in(f"/meetings/{file_hash}")
    # Without another step of anybody's.
    page.wait_for(TILE.format("Energy"), timeout_s=550)
    assert "Under way" in text_of(page, "h1")


def test_a_failed_meeting_says_why(signed_in: SignedIn, rest: Rest) -> None:
    file_hash = rest.upload(b"This is no recording at all. " * 100).json()["file_hash"]
    state = rest.settled(file_hash)
    assert state["status"] == "failed"
    page = signed_in(f"/meetings/{file_hash}")
    page.wait_for("role=alert")
    assert state["message"] in text_of(page, "[role=alert]")


def test_a_meeting_that_is_unknown_says_so(signed_in: SignedIn) -> None:
    page = signed_in(f"/meetings/{'0' * 64}")
    page.wait_for('role=alert >> text="Meeting not found"')
