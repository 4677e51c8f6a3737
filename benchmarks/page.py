"""How fast the report page is in a real Chromium.

    python -m benchmarks.page [--hours 2] [--rounds 5] [--json FILE]

A meeting of that length is made from the sample meeting, said over and over, and stored as an analysis stores it.
Each round opens it in a Chromium with an empty cache: milliseconds to the first paint, to the first sentence of the
transcript and to the whole report, bytes over the network for the page itself and for the answers. Then the transcript
is scrolled from its start to its end: frames a second, and the longest one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.accuracy import stored_conversation
from benchmarks.rest import HASH, SAMPLE, repeated, store
from benchmarks.running_system import circumstances, running_system
from tests.browser.chromium import Page, chromium_or_skip

# How long the transcript is scrolled, seconds, and how far: whole.
SCROLL_S = 10
LOADED = """async () => {
  const until = (selector) => new Promise((resolve) => {
    const look = () => document.querySelector(selector) ? resolve(performance.now()) : requestAnimationFrame(look);
    look();
  });
  const sentence = await until(".sentence");
  await Promise.all([".emotion-grid", ".interaction-map", ".measured-open"].map(until));
  const report = performance.now();
  const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null;
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const sum = (wanted) => entries.filter(({ name }) => wanted(new URL(name).pathname))
    .reduce((total, { transferSize }) => total + transferSize, 0);
  const isPage = (path) => path === "/" || path.startsWith("/assets/") || path.endsWith(".svg");
  return {
    first_paint_ms: paint, first_sentence_ms: sentence, report_ms: report,
    page_bytes: sum(isPage), answer_bytes: sum((path) => !isPage(path)),
  };
}"""
SCROLLED = """async (seconds) => {
  const scroller = document.querySelector(".transcript-scroll");
  const began = performance.now();
  const gaps = [];
  let last = began;
  while (last - began < seconds * 1000) {
    scroller.scrollTop = ((last - began) / (seconds * 1000)) * (scroller.scrollHeight - scroller.clientHeight);
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return { frames_per_second: gaps.length / ((last - began) / 1000), longest_frame_ms: Math.max(...gaps) };
}"""


def one_round(executable: Path, gateway: str, token: str) -> dict[str, float]:
    """Open the meeting in a new Chromium and scroll it; the figures."""
    with tempfile.TemporaryDirectory() as folder, Page(executable, Path(folder)) as page:
        # The address of an icon is of the same origin, and leaves the page itself unread.
        page.open(f"{gateway}/icon.svg")
        page.evaluate("(token) => localStorage.setItem('meetra-token', token)", token)
        page.emulate((1400, 1000))
        page.open(f"{gateway}/#/meetings/{HASH}")
        loaded: dict[str, float] = page.evaluate(LOADED)
        return {**loaded, **page.evaluate(SCROLLED, SCROLL_S)}


async def measure(hours: float, rounds: int) -> dict[str, Any]:
    """The figures of all rounds, and their medians."""
    with running_system() as system, tempfile.TemporaryDirectory() as folder:
        async with system.client() as client:
            conversation = repeated(await stored_conversation(system, client, SAMPLE), hours)
            await store(system.database_url, system.email, conversation, others=0)
            token = await client.token()
            executable = chromium_or_skip(Path(folder))
            found = [await asyncio.to_thread(one_round, executable, system.gateway, token) for _ in range(rounds)]
    return {
        **circumstances(),
        "hours": hours,
        "sentences": len(conversation.sentences),
        "median": {name: statistics.median(one[name] for one in found) for name in found[0]},
        "rounds": found,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.hours, arguments.rounds))
    print(f"{found['sentences']} sentences; median of {arguments.rounds}:")
    for name, value in found["median"].items():
        print(f"  {name:20} {value:10.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
