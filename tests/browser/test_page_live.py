"""The page "Live" in a real Chromium: a meeting from a fake microphone, a watcher, a bot's meeting, a killed API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meetra.v1 import rules_pb2

from meetra_client import MeetraClient, Track
from tests.browser.chromium import Page
from tests.browser.conftest import OpenPage
from tests.e2e.conftest import System
from tests.node import skip_unless_ci
from tests.recordings import RATE_HZ, ROOT, sample_pcm, wav

PATIENCE_S = 500.0
# Of the sample meeting, said over and over into the microphone.
SPOKEN_S = 25
SIGN_IN = """({ email, password }) => {
  const form = document.querySelector("form.sign-in-form");
  form.elements.email.value = email;
  form.elements.password.value = password;
  form.requestSubmit();
}"""
SHOWN = """() => [...document.querySelectorAll(".live-turn")].map((turn) => ({
  segment: Number(turn.dataset.segment),
  state: turn.dataset.state,
  who: turn.querySelector("bdi").textContent,
  words: turn.querySelector(".live-words").textContent.trim(),
}))"""
# What somebody would read, all white space alike.
TEXT = "(selector) => (document.querySelector(selector)?.innerText ?? '').replace(/\\s+/g, ' ').trim()"
PRESS = """(name) => {
  const named = [...document.querySelectorAll("button, a")].find((one) => one.innerText.trim() === name);
  if (!named) throw new Error(`nothing is called ${name}`);
  named.click();
}"""
# Each handshake is answered with 404, as by a proxy that knows none.
WITHOUT_SOCKETS = """() => {
  window.refused = 0;
  window.WebSocket = new Proxy(WebSocket, {
    construct: (real, [url, protocols]) => {
      window.refused++;
      return new real(new URL("/no-such-place", url), protocols);
    },
  });
}"""
FOREIGN = """() => performance.getEntriesByType("resource").map(({ name }) => new URL(name))
  .filter(({ origin, protocol }) => protocol !== "blob:" && origin !== location.origin).map(({ href }) => href)"""


class LivePage:
    """Somebody who uses the page "Live"."""

    def __init__(self, page: Page, system: System) -> None:
        self.page, self._system = page, system
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in, and go to the page "Live"."""
        page, system = self.page, self._system
        self.wait("the form to sign in", lambda: page.evaluate("() => !!document.querySelector('.sign-in-form')"))
        page.evaluate(SIGN_IN, {"email": system.email, "password": system.password})
        self.wait("the navigation", lambda: page.evaluate("() => !!document.querySelector('header.frame')"))
        page.evaluate("() => { location.hash = '/live'; }")
        self.wait("the form to start", lambda: page.evaluate("() => !!document.querySelector('form.live-start')"))

    def wait(self, what: str, arrived: Callable[[], Any]) -> Any:
        """Wait until ``arrived`` returns something true; return that."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := arrived()):
            shown = self.page.evaluate("() => document.body.innerText") if time.monotonic() > deadline else ""
            assert time.monotonic() < deadline, f"{what} did not come:\n{shown}\n{self.page.console()}"
            time.sleep(0.2)
        return found

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()

    def press(self, name: str) -> None:
        """Press the button, or follow the link, of this name."""
        self.page.evaluate(PRESS, name)

    def text(self, selector: str) -> str:
        """What an element says."""
        said: str = self.page.evaluate(TEXT, selector)
        return said

    def turns(self) -> list[dict[str, Any]]:
        """The turns that are shown."""
        shown: list[dict[str, Any]] = self.page.evaluate(SHOWN)
        return shown

    def words(self) -> str:
        """All words that are shown."""
        return " ".join(turn["words"] for turn in self.turns())

    def start(self, name: str) -> str:
        """Start a meeting from the microphone; return its session."""
        self.page.evaluate("(name) => { document.querySelector('form.live-start').elements.name.value = name; }", name)
        self.press("Start recording")
        return self.session()

    def watch(self, name: str) -> str:
        """Choose a meeting of those that run; return its session."""
        self.wait(f"{name} in the list", lambda: name in self.text(".live-running"))
        self.press(name)
        return self.session()

    def session(self) -> str:
        """The session that is shown."""
        found: str = self.wait(
            "the meeting", lambda: self.page.evaluate("() => location.hash.match(/^#.live.([0-9a-f-]{36})$/)?.[1]")
        )
        return found

    def wait_for_end(self) -> list[dict[str, Any]]:
        """Wait until the meeting is ready; return its turns."""
        self.wait("the end", lambda: "The meeting has ended." in self.text(".live-status"))
        self.wait("the last turns", lambda: all(t["state"] == "LIVE_TURN_STATE_FINAL" for t in self.turns()))
        return self.turns()

    def check_policy(self) -> None:
        """Nothing was asked of others, and nothing refused by the Content-Security-Policy."""
        assert self.page.evaluate(FOREIGN) == []
        assert "Content Security Policy" not in self.page.console()
        assert "[uncaught]" not in self.page.console()


OpenLive = Callable[..., LivePage]


@pytest.fixture
def open_live(system: System, open_page: OpenPage) -> OpenLive:
    """Opens the page, signed in, with a microphone or without."""
    if not (ROOT / "web" / "dist" / "index.html").exists():
        skip_unless_ci("The page is not built: `make install` builds it")
    return lambda microphone=None: LivePage(open_page(f"{system.gateway}/", microphone=microphone), system)


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """Somebody who speaks without end."""
    path = tmp_path / "microphone.wav"
    path.write_bytes(wav(np.tile(sample_pcm()[: SPOKEN_S * RATE_HZ], 1 + round(2 * PATIENCE_S / SPOKEN_S))))
    return path


def test_a_meeting_is_recorded_here_and_watched_there(system: System, open_live: OpenLive, microphone: Path) -> None:
    here, there = open_live(microphone), open_live()
    session = here.start("From the page")
    here.wait("the connection", lambda: "Recording · connected" in here.text(".live-status"))
    assert there.watch("From the page") == session
    here.wait("words", lambda: "morning" in here.words())
    there.wait("the same words", lambda: "morning" in there.words())
    assert here.text("#live-name") == "From the page"
    there.wait("the name", lambda: there.text("#live-name") == "From the page")
    assert "Watching" in there.text(".live-status")
    # It grows: what is settled grew from something that was not.
    here.wait("a settled turn", lambda: any(turn["state"] != "LIVE_TURN_STATE_PARTIAL" for turn in here.turns()))
    for seen in (here, there):
        seen.wait("scores", lambda seen=seen: "Balance" in seen.text(".live-scores"))  # type: ignore[misc]
        assert "Has the floor: " in seen.text(".live-floor")
        assert seen.page.evaluate("() => document.querySelectorAll('.live-lane rect').length") > 0
    for seen in (here, there):
        for size in ((1280, 900), (390, 844)):
            for colours in ("light", "dark"):
                seen.page.emulate(size, colorScheme=colours)
                assert seen.page.violations() == [], f"{size}, {colours}"
                assert seen.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    # Each number says how it is defined.
    here.page.click(".live-scores button.explained >> nth=0")
    here.wait("the formula", lambda: "Known error" in here.text("dialog[open]"))
    here.page.press("Escape")
    here.press("Mute")
    here.wait("the mute", lambda: "Muted" in here.text(".live-status"))
    here.press("Unmute")
    # Elsewhere in the page it goes on.
    here.page.evaluate("() => { location.hash = '/live'; }")
    here.wait("the list", lambda: "recorded here" in here.text(".live-running"))
    assert "This browser records a meeting already." in here.text(".live-start")
    assert here.watch("From the page") == session
    here.press("Finish")
    ended = here.wait_for_end()
    assert ended == there.wait_for_end()
    assert {turn["segment"] for turn in ended}
    here.press("Open the report")
    file_hash = here.page.evaluate("() => location.hash.split('/')[2]")
    assert system.login().settled(file_hash)["name"] == "From the page"
    for seen in (here, there):
        seen.check_policy()


async def test_a_bots_meeting_draws_itself(system: System, open_live: OpenLive) -> None:
    seen = await asyncio.to_thread(open_live)
    async with MeetraClient(system.gateway, email=system.email, password=system.password) as client:
        rules = [rules_pb2.LiveRule(id="greeting", phrase=rules_pb2.PhraseRule(phrases=["morning"]))]
        tracks = [Track("ana", participant_name="Ana"), Track("mix")]
        async with client.live(name="A bot", tracks=tracks, rules=rules) as meeting:
            pcm = sample_pcm()[: SPOKEN_S * RATE_HZ]
            for track in ("ana", "mix"):
                silent = np.zeros_like(pcm) if track == "mix" else pcm
                await meeting.send(track, silent.astype("<i2").tobytes())
            assert await asyncio.to_thread(seen.watch, "A bot") == meeting.session_id
            await asyncio.to_thread(seen.wait, "words", lambda: "morning" in seen.words())
            await asyncio.to_thread(seen.wait, "the alert", lambda: "Alert: " in seen.text(".live-notices"))
            assert {turn["who"] for turn in seen.turns()} == {"Ana"}
            assert "Go on recording here" not in seen.text(".live-actions")
            # Everybody is told at once, for all turns.
            await meeting.rename_track("ana", "Zoë")
            await asyncio.to_thread(seen.wait, "the name", lambda: {turn["who"] for turn in seen.turns()} == {"Zoë"})
            await meeting.finish()
    await asyncio.to_thread(seen.wait_for_end)
    assert "100 %" in seen.text(".live-shares")
    seen.check_policy()


def test_a_tabs_sound_is_recorded_beside_the_microphone_through_a_proxy_without_websockets(
    system: System, open_live: OpenLive, microphone: Path
) -> None:
    here = open_live(microphone)
    here.page.evaluate(WITHOUT_SOCKETS)
    # A Chromium whose devices are fake plays the microphone's file as the sound of a tab, too.
    here.page.evaluate("""() => {
      const form = document.querySelector("form.live-start");
      form.elements.who[1].click();
      const share = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getDisplayMedia = async (asked) => (window.shared = await share(asked));
    }""")
    here.wait("the name", lambda: here.page.evaluate("() => !!document.querySelector('input[name=me]')"))
    here.page.evaluate("() => { document.querySelector('input[name=me]').value = 'Zoë'; }")
    session = here.start("A call")
    here.wait("words", lambda: "morning" in here.words())
    assert "Zoë" in {turn["who"] for turn in here.turns()}
    here.press("Add a tab's sound")

    def tab() -> dict[str, Any]:
        running = system.login().get("/single-feature-api/live").json()["meetings"]
        (tracks,) = [meeting["tracks"] for meeting in running if meeting["session_id"] == session]
        mixed: list[dict[str, Any]] = [one for one in tracks if one["track"]["kind"] == "TRACK_KIND_MIXED"]
        return mixed[0] if mixed else {}

    here.wait("its sound", lambda: tab().get("next_sample", 0) > 10_000)
    assert here.page.evaluate("() => shared.getVideoTracks().map(({ readyState }) => readyState)") == ["ended"]
    # As the browser tells that somebody no longer shares it.
    here.page.evaluate(
        "() => shared.getAudioTracks().map((track) => (track.stop(), track.dispatchEvent(new Event('ended'))))"
    )
    here.wait("the end of the tab", lambda: tab()["track"]["ended"])
    assert "the recording has ended in the browser" in here.text(".live > .notice")
    assert "Recording · connected" in here.text(".live-status")
    # Whoever is there may say who somebody is.
    here.wait("the scores", lambda: "Zoë" in here.text(".live-shares"))
    here.page.evaluate("() => document.querySelector('.live-shares button').click()")
    here.wait("the field", lambda: here.page.evaluate("() => document.activeElement.tagName === 'INPUT'"))
    here.page.evaluate("""() => {
      document.activeElement.value = "מאיה";
      document.activeElement.form.requestSubmit();
    }""")
    here.wait("the new name", lambda: "מאיה" in {turn["who"] for turn in here.turns()})
    here.press("Finish")
    here.wait_for_end()
    assert here.page.evaluate("() => window.refused") > 0
    assert any(f"/live/{session}/audio?" in url for url in here.page.requests())
    here.check_policy()


def test_a_dead_api_and_a_page_that_is_loaded_again_cost_nothing(
    system: System, open_live: OpenLive, microphone: Path
) -> None:
    here = open_live(microphone)
    session = here.start("Through thick and thin")
    here.wait("words", lambda: "morning" in here.words())
    system.kill("api")
    before = len(here.words())
    here.wait("more words", lambda: len(here.words()) > before + 20)
    assert "Recording · connected" in here.text(".live-status")
    # All tokens of the user are void: the microphone is recorded on while the page asks for the password.
    system.login().http.post("/api/logout", json={"everywhere": True}).raise_for_status()
    here.wait("the form", lambda: here.page.evaluate("() => !!document.querySelector('.sign-in-again .sign-in-form')"))
    here.page.evaluate(SIGN_IN, {"email": system.email, "password": system.password})
    here.wait("the connection", lambda: "Recording · connected" in here.text(".live-status"))
    before = len(here.words())
    here.wait("more words", lambda: len(here.words()) > before + 20)
    here.reload()
    here.wait("the page again", lambda: "Go on recording here" in here.text(".live-actions"))
    here.wait("what was said", lambda: "morning" in here.words())
    before = len(here.words())
    here.press("Go on recording here")
    here.wait("the connection", lambda: "Recording · connected" in here.text(".live-status"))
    here.wait("more words", lambda: len(here.words()) > before + 20)
    assert here.session() == session
    # Who signs out is not recorded on.
    here.page.evaluate("""() => {
      const stop = MediaStreamTrack.prototype.stop;
      window.stopped = 0;
      MediaStreamTrack.prototype.stop = function () { window.stopped++; stop.call(this); };
    }""")
    here.press("Sign out")
    here.wait("silence", lambda: here.page.evaluate("() => window.stopped"))
    here.sign_in()
    assert here.watch("Through thick and thin") == session
    here.press("Go on recording here")
    here.wait("the connection", lambda: "Recording · connected" in here.text(".live-status"))
    here.press("Finish")
    assert here.wait_for_end()
    here.check_policy()


def test_what_is_wrong_is_said(system: System, open_live: OpenLive) -> None:
    here = open_live()
    uncheck = "() => document.querySelector('form.live-start').elements.microphone.click()"
    here.page.evaluate(uncheck)
    here.press("Start recording")
    here.wait("the problem", lambda: "Choose what to record" in here.text(".live-start .notice"))
    here.page.evaluate(uncheck)
    here.page.evaluate("() => { document.querySelector('form.live-start').elements.language.value = 'tlh'; }")
    here.press("Start recording")
    here.wait("the reason", lambda: "language" in here.text(".live-start .notice"))
    # The microphone is let go, and what was typed is still there.
    assert here.page.evaluate("() => document.querySelector('form.live-start').elements.language.value") == "tlh"
    here.page.evaluate("() => { location.hash = '/live/00000000-0000-4000-8000-000000000000'; }")
    here.wait("the refusal", lambda: "does not exist" in here.text(".live .notice"))
    here.check_policy()
