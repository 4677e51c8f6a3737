"""Make the README's pictures of the page from the sample meeting: ``python -m tools.page_pictures``.

Starts a system of its own, analyses the sample and parts of it, and writes what a real Chromium shows to
``docs/pictures``. Needs what the browser tests need: ``make page``, and the npm packages of the tests.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.browser.chromium import Page, chromium_or_skip
from tests.e2e.conftest import Rest, System, start_system
from tests.recordings import RATE_HZ, ROOT, SAMPLE, sample_pcm, wav

FOLDER = ROOT / "docs" / "pictures"
DESK, PHONE = (1280, 860), (390, 844)
SPEAKERS = ("Daniel", "Maria", "Ken", "Aisha")
# Parts of the sample, seconds, in place of meetings of half a year.
PARTS = (
    ("2026-06-01", "June planning", 0, 60),
    ("2026-07-06", "July planning", 12, 72),
    ("2026-08-03", "August planning", 6, 50),
    ("2026-09-07", "September planning", 20, 72),
    ("2026-10-05", "October planning", 0, 44),
)


@dataclass(frozen=True)
class Picture:
    """A view of the page."""

    file: str
    path: str
    """Of the page; ``{}`` is the sample meeting."""
    wait: str
    """What is there once the page is drawn, as a selector of Playwright."""
    size: tuple[int, int] = DESK
    colours: str = "light"


PICTURES = (
    Picture("meeting-light.png", "/meetings/{}", "css=.player-bar button.primary"),
    Picture("meeting-dark.png", "/meetings/{}", "css=.player-bar button.primary", colours="dark"),
    Picture("meeting-phone.png", "/meetings/{}", "css=.player-bar button.primary", size=PHONE),
    Picture("over-time.png", "/overtime", "css=svg.trend"),
)


def main() -> None:
    """Make all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        system = start_system(folder / "data")
        try:
            rest = system.login()
            _take(system, rest, _fill(rest), folder)
        finally:
            system.stop()


def _fill(rest: Rest) -> str:
    """Analyse the meetings; return the hash of the sample, whose speakers have names."""
    for date, name, start_s, end_s in PARTS:
        recording = wav(sample_pcm()[start_s * RATE_HZ : end_s * RATE_HZ], mark=name)
        rest.analysed(recording, name=name, date=date)
    sample = rest.analysed(SAMPLE.read_bytes(), name="November planning", date="2026-11-02")
    speakers = rest.get("/api/meeting/speakers", file_hash=sample).json()["speakers"]
    for speaker, alias in zip(speakers, SPEAKERS, strict=True):
        rest.http.put(f"/api/meeting/speakers/{speaker['id']}", json={"alias": alias}).raise_for_status()
    return sample


def _take(system: System, rest: Rest, sample: str, folder: Path) -> None:
    chromium = folder / "chromium"
    chromium.mkdir()
    with Page(chromium_or_skip(chromium), folder) as page:
        page.open(system.gateway)
        page.evaluate("(token) => localStorage.setItem('meetra-token', token)", rest.token)
        for number, picture in enumerate(PICTURES):
            page.emulate(picture.size, colorScheme=picture.colours, reducedMotion="reduce")
            page.open(f"{system.gateway}/?{number}#{picture.path.format(sample)}")
            page.wait_for(picture.wait)
            page.wait_for("css=main >> text=Loading", "hidden")
            page.screenshot(FOLDER / picture.file)


if __name__ == "__main__":
    main()
