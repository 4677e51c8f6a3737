"""Pages of another origin hold live meetings: the page of the docs, and one with an AudioWorklet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.live_page import GRACE_S, hold, last_shown_s, open_meeting
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.e2e.conftest import System, start_system

# Four grace periods.
MUTED_S = 4 * GRACE_S


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[System]:
    """A system that accepts calls of the site's pages, and ends meetings that nobody attends within seconds."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MEETRA_LIVE_GRACE_S", str(GRACE_S))
        running = start_system(tmp_path_factory.mktemp("patient") / "data", "--cors-origin", site.origin)
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize("kind", ["recorder", "worklet"])
def test_a_page_holds_a_meeting_and_goes_on_after_it_was_muted(
    system: System, site: Site, open_page: OpenPage, tmp_path: Path, kind: str
) -> None:
    backend = system.login()
    headers = {"authorization": f"Bearer {backend.token}"}
    held = hold(open_page, site, system.gateway, headers, tmp_path, kind=kind, muted_s=MUTED_S)
    # One meeting, over one connection, whose microphone's silence is a part of it.
    assert held.states == ["connected"]
    assert held.longest_gap_s > MUTED_S / 2
    assert [event["event_seq"] for event in held.told] == list(range(1, len(held.told) + 1))
    assert held.told[-1]["finished"] == {**held.told[-1]["finished"], "file_hash": held.file_hash, "status": "ready"}
    assert "morning" in held.before
    assert last_shown_s(held.after) > last_shown_s(held.before) + MUTED_S / 2, (held.before, held.after)
    assert backend.settled(held.file_hash)["status"] == "ready"
    # Neither the token nor the page's words are in a log.
    logs = "".join(log.read_text(errors="replace") for log in (system.data / "logs").iterdir())
    assert "ms_ey" not in logs
    assert "access_token" not in logs
    assert backend.http.delete("/single-feature-api/meeting", params={"file-hash": held.file_hash}).is_success


def test_a_page_of_an_origin_that_is_not_allowed_is_kept_out(
    system: System, open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    headers = {"authorization": f"Bearer {system.login().token}"}
    ready, token = open_meeting(
        system.gateway, headers, {"encoding": "AUDIO_ENCODING_PCM_S16LE", "sample_rate_hz": 16_000}
    )
    evil = Site(tmp_path_factory.mktemp("evil"))
    page = open_page(evil.add("evil.html", "<!doctype html><title>Evil</title>"))
    socket = system.gateway.replace("http", "ws", 1) + "/single-feature-api/live/socket?access_token=" + token
    assert (
        page.evaluate(
            "(url) => new Promise((resolve) => { const s = new WebSocket(url);"
            " s.onopen = () => resolve('open'); s.onclose = ({ code }) => resolve(code); })",
            socket,
        )
        == 1006
    )
    events = f"{system.gateway}/single-feature-api/live/{ready['session_id']}/events?access_token={token}"
    assert (
        page.evaluate(
            "(url) => new Promise((resolve) => { const e = new EventSource(url);"
            " e.onmessage = () => resolve('told'); e.onerror = () => resolve(e.readyState); })",
            events,
        )
        == 2
    )
    # The token is good: it is the page that is not.
    with httpx.stream("GET", events, timeout=300) as answer:
        assert answer.status_code == 200
    evil.stop()
