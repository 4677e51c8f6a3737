"""Hold a live meeting from a page in a real Chromium, mute its microphone for a while, and go on.

    python -m benchmarks.live_page [--muted 180] [--page recorder | worklet] [--screenshot FILE]

The page is the one of docs/live.md (`recorder`: MediaRecorder, WebM), or benchmarks/worklet_page.html (samples from an
AudioWorklet). It comes from another origin than the gateway, has a session token, and hears a WAV as its microphone. It
is muted by `track.enabled = false` once it shows words, and unmuted after `--muted` seconds; the grace period of the
system is 5 s, far shorter. Prints what the page showed, and exits with 1 unless words came before and after, the
meeting is one and finished, and an EventSource with the token was told so. The browser is that of tests/browser.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.running_system import ROOT, running_system
from tests.browser.chromium import Page, chromium_or_skip
from tests.browser.site import Site
from tests.recordings import sample_pcm, wav

LIVE = "/single-feature-api/live"
PATIENCE_S = 500.0
GRACE_S = 5
# Of the sample meeting, said over and over; the microphone is never at its end. Nothing is said twice within a test: of
# what is said again and again a recogniser may take some for a loop of its own.
SPOKEN_S, RATE_HZ = 70, 16_000
WATCH = """(url) => {
  window.told = [];
  const events = new EventSource(url);
  events.onmessage = ({ data }) => {
    const { event } = JSON.parse(data);
    if (event) window.told.push(event);
    if (event?.finished) events.close();
  };
}"""
SHOWN = "() => [document.getElementById('state').textContent, document.getElementById('turns').textContent]"


def documented_page() -> str:
    """Return the page of docs/live.md."""
    text = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    found = re.search(r"^```html\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


PAGES: dict[str, tuple[Callable[[], str], dict[str, Any]]] = {
    "recorder": (documented_page, {"encoding": "AUDIO_ENCODING_WEBM_OPUS"}),
    "worklet": (
        lambda: (ROOT / "benchmarks" / "worklet_page.html").read_text(encoding="utf-8"),
        {"encoding": "AUDIO_ENCODING_PCM_F32LE", "sample_rate_hz": RATE_HZ},
    ),
}


def microphone(folder: Path, muted_s: float) -> Path:
    """Write the WAV that the microphone plays."""
    said = sample_pcm()[: SPOKEN_S * RATE_HZ]
    path = folder / "microphone.wav"
    path.write_bytes(wav(np.tile(said, 1 + round((muted_s + 2 * PATIENCE_S) / SPOKEN_S))))
    return path


@dataclass(frozen=True, slots=True)
class Held:
    """What came of a meeting that a page held."""

    file_hash: str
    before: str
    """The turns that the page showed when it was muted."""
    after: str
    """Those at its end."""
    states: list[str]
    """What it said of its connection while it was muted, without repetitions."""
    told: list[dict[str, Any]]
    """What an EventSource of the page was told."""

    @property
    def longest_gap_s(self) -> float:
        """Longest time between the words of the meeting, seconds."""
        words = sorted(
            (word["start_ms"], word["end_ms"]) for turn in self.last_turns().values() for word in turn["words"]
        )
        ends = [end for _, end in words]
        return max((start - end for (start, _), end in zip(words[1:], ends, strict=False)), default=0) / 1000

    def last_turns(self) -> dict[int, dict[str, Any]]:
        """Return the last revision of each segment that was told."""
        turns = {event["turn"]["segment_id"]: event["turn"] for event in self.told if "turn" in event}
        return {id_: turn for id_, turn in turns.items() if turn["state"] != "LIVE_TURN_STATE_RETRACTED"}


def last_shown_s(turns: str) -> int:
    """Return when the last turn with words begins that a page shows, seconds; 0: there is none."""
    return max(map(int, re.findall(r"^(\d+) s [\w ]+: \S", turns, re.MULTILINE)), default=0)


def open_meeting(gateway: str, headers: dict[str, str], track: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Open a meeting as a backend does; return its `ready` and a session token."""
    with httpx.Client(base_url=gateway, headers=headers, timeout=PATIENCE_S) as http:
        asked = {"name": "Page", "tracks": [{"track_id": "mic", "kind": "TRACK_KIND_MIXED", **track}]}
        ready: dict[str, Any] = http.post(LIVE, json=asked).raise_for_status().json()["ready"]
        made = http.post(f"{LIVE}/{ready['session_id']}/tokens", json={"scopes": ["send", "watch"]})
        return ready, made.raise_for_status().json()["token"]


def hold(
    open_page: Callable[..., Page],
    site: Site,
    gateway: str,
    headers: dict[str, str],
    folder: Path,
    *,
    kind: str,
    muted_s: float,
    screenshot: Path | None = None,
) -> Held:
    """Hold a meeting from a page.

    Args:
        open_page: opens a page at a URL, with a WAV as its microphone.
        headers: of the backend's calls.
        kind: of ``PAGES``.
        muted_s: for how long the microphone is muted, seconds.
    """
    content, track = PAGES[kind]
    ready, token = open_meeting(gateway, headers, track)
    handed = {"gateway": gateway, "session_id": ready["session_id"], "token": token}
    site.add("meeting.json", json.dumps(handed))
    page = open_page(site.add(f"{kind}.html", content()), microphone=microphone(folder, muted_s))
    page.evaluate(WATCH, f"{gateway}{LIVE}/{ready['session_id']}/events?access_token={token}")
    _, before = _wait(page, lambda _, turns: "morning" in turns)
    page.evaluate("() => document.getElementById('mute').click()")
    states, until = [], time.monotonic() + muted_s
    while time.monotonic() < until:
        state, before = page.evaluate(SHOWN)
        states += [state] if state not in states else []
        time.sleep(min(1.0, muted_s / 10))
    page.evaluate("() => document.getElementById('mute').click()")
    # Told of what is said from now on.
    _wait(page, lambda _, turns: last_shown_s(turns) > last_shown_s(before) + muted_s / 2)
    if screenshot is not None:
        page.screenshot(screenshot)
    page.evaluate("() => document.getElementById('finish').click()")
    _, after = _wait(page, lambda state, _: state in ("ready", "failed"))
    _wait(page, lambda *_: bool(page.evaluate("() => window.told.some((event) => event.finished)")))
    told = page.evaluate("() => window.told")
    return Held(ready["file_hash"], before, after, states, told)


def _wait(page: Page, arrived: Callable[[str, str], bool]) -> tuple[str, str]:
    """Wait until what the page shows is what is waited for; return its state and its turns."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        state, turns = page.evaluate(SHOWN)
        if arrived(state, turns):
            return state, turns
        assert time.monotonic() < deadline, f"{state}\n{turns}\n{page.console()}"
        time.sleep(0.2)


def main() -> int:
    """Hold one meeting on a system of its own and print what the page showed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--muted", type=float, default=180.0, help="seconds for which the microphone is muted")
    parser.add_argument("--page", choices=tuple(PAGES), default="recorder")
    parser.add_argument("--screenshot", type=Path, help="write the page here as PNG, after it went on")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meetra-page-") as name:
        folder = Path(name)
        (folder / "site").mkdir()
        site, chromium = Site(folder / "site"), chromium_or_skip(folder)
        options = ("--cors-origin", site.origin)
        with running_system({"MEETRA_LIVE_GRACE_S": str(GRACE_S)}, options) as system:
            login = {"email": system.email, "password": system.password}
            token = httpx.post(f"{system.gateway}/api-login", json=login, timeout=60).raise_for_status().json()["token"]
            pages: list[Page] = []

            def open_page(url: str, microphone: Path) -> Page:
                pages.append(Page(chromium, folder, microphone))
                pages[-1].open(url)
                return pages[-1]

            try:
                held = hold(
                    open_page,
                    site,
                    system.gateway,
                    {"authorization": f"Bearer {token}"},
                    folder,
                    kind=arguments.page,
                    muted_s=arguments.muted,
                    screenshot=arguments.screenshot,
                )
            finally:
                for page in pages:
                    page.close()
        site.stop()
    print(f"muted for {arguments.muted:.0f} s; the page said of its connection: {', '.join(held.states)}")
    print(f"longest time without a word: {held.longest_gap_s:.1f} s")
    print(f"events told to the EventSource: {len(held.told)}, the last: {json.dumps(held.told[-1])}")
    print(f"\nwhen it was muted:\n{held.before}\n\nat its end:\n{held.after}")
    return 0 if held.states == ["connected"] and held.told[-1]["finished"]["status"] == "ready" else 1


if __name__ == "__main__":
    sys.exit(main())
