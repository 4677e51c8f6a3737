"""The TypeScript client in a browser: a page of another origin holds a meeting with its microphone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.clients.typescript.examples import example
from tests.clients.typescript.package import Workbench
from tests.e2e.conftest import System
from tests.recordings import excerpt

SECONDS = 14
PAGE = """<!doctype html>
<title>A meeting</title>
<script type="importmap">{"imports": {"meetra-client": "/meetra-client/index.js"}}</script>
<script type="module">
  import { Meetra, MeetraError, recordMicrophone } from "meetra-client";
  import { hold } from "./hold.js";
  Object.assign(window, { Meetra, MeetraError, recordMicrophone, hold });
</script>
"""
HOLD = """async ({ gateway, token, seconds }) => {
  const meetra = new Meetra(gateway, { token: () => token });
  const events = [];
  const over = new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const finished = await hold(meetra, (event) => events.push(event), over);
  const { Transcription } = await meetra.getTranscription({ file_hash: finished.file_hash });
  const { body, name } = await meetra.exportMeeting({ file_hash: finished.file_hash, format: "txt" });
  const file = { name, text: await new Response(body).text() };
  return { finished, events, file, words: Transcription.map((part) => part.transcription).join(" ") };
}"""
MUTED = """async ({ gateway, token }) => {
  const meetra = new Meetra(gateway, { token });
  const track = { track_id: "mic", kind: "TRACK_KIND_MIXED", encoding: "AUDIO_ENCODING_WEBM_OPUS" };
  const meeting = await meetra.live({ tracks: [track] });
  const recording = await recordMicrophone(meeting, "mic", { timesliceMs: 100 });
  const before = recording.muted;
  recording.muted = true;
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const after = recording.muted;
  await recording.stop();
  const finished = await meeting.finish();
  return { before, after, finished, live: recording.stream.active, sent: meeting.position("mic") };
}"""
OFFLINE = """async ({ gateway, token }) => {
  const meetra = new Meetra(gateway, { token });
  const encoding = "AUDIO_ENCODING_PCM_S16LE";
  const track = { track_id: "pcm", kind: "TRACK_KIND_MIXED", encoding, sample_rate_hz: 16000 };
  window.meeting = await meetra.live({ tracks: [track] });
  window.seen = [];
  window.watching = (async () => { for await (const event of meeting.events()) seen.push(event.event_seq); })();
  await meeting.send("pcm", new Int16Array(16000));
  await meeting.flush();
  return meeting.acknowledged("pcm");
}"""


@pytest.fixture(scope="module")
def page_url(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with the packed client, and the function of its README."""
    bench = Workbench(tmp_path_factory.mktemp("typescript"))
    bench.add("hold.ts", example("recordMicrophone(meeting"))
    bench.compile("hold.ts")
    shutil.copytree(bench.client / "dist", site.folder / "meetra-client")
    site.add("hold.js", (bench.folder / "out" / "hold.js").read_text(encoding="utf-8"))
    return site.add("meeting.html", PAGE)


@pytest.fixture
def access(system: System) -> dict[str, Any]:
    """What the page needs of its own server."""
    return {"gateway": system.gateway, "token": system.login().token}


@pytest.fixture
def page(page_url: str, open_page: OpenPage, tmp_path: Path) -> Page:
    """The page, with somebody speaking into its microphone."""
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(excerpt(SECONDS))
    return open_page(page_url, microphone=microphone)


def test_a_page_of_another_origin_holds_a_meeting(page: Page, access: dict[str, Any]) -> None:
    told = page.evaluate(HOLD, {**access, "seconds": SECONDS})
    assert told["finished"]["status"] == "ready"
    turns = [event["turn"] for event in told["events"] if "turn" in event]
    assert any(turn["words"] for turn in turns)
    assert [event["event_seq"] for event in told["events"]] == list(range(1, len(told["events"]) + 1))
    assert told["words"]
    # The page may read how the file is called.
    assert told["file"]["name"] == "In a browser.txt"
    assert told["file"]["text"]


def test_a_muted_microphone_is_recorded_as_silence(page: Page, access: dict[str, Any]) -> None:
    told = page.evaluate(MUTED, access)
    assert (told["before"], told["after"], told["live"]) == (False, True, False)
    assert told["sent"] > 0
    assert told["finished"]["status"] == "ready"


def test_a_network_that_is_gone_for_a_while_costs_nothing(page: Page, access: dict[str, Any]) -> None:
    assert page.evaluate(OFFLINE, access) == 16_000
    page.set_offline(True)
    waiting = "async () => { await meeting.send('pcm', new Int16Array(16000)); return meeting.acknowledged('pcm'); }"
    assert page.evaluate(waiting) == 16_000
    page.set_offline(False)
    finish = """async () => {
      const { status } = await meeting.finish();
      await watching;
      return [status, meeting.acknowledged("pcm"), seen];
    }"""
    status, acknowledged, seen = page.evaluate(finish)
    assert (status, acknowledged) == ("ready", 32_000)
    assert seen == list(range(1, len(seen) + 1))


def test_the_page_reads_reasons_of_errors(page: Page, access: dict[str, Any]) -> None:
    asked = """async ({ gateway }) => new Meetra(gateway, { token: "void" }).listMeetings()
      .catch((error) => [error instanceof MeetraError, error.reason, error.status])"""
    assert page.evaluate(asked, access) == [True, "UNAUTHENTICATED", 401]


def test_an_origin_that_is_not_allowed_reads_nothing(
    page_url: str, site: Site, open_page: OpenPage, access: dict[str, Any]
) -> None:
    # The same pages by another name are another origin.
    page = open_page(page_url.replace("127.0.0.1", "localhost"))
    asked = """async ({ gateway, token }) => new Meetra(gateway, { token }).listMeetings()
      .catch((error) => [error.reason, error.status])"""
    assert page.evaluate(asked, access) == ["UNREACHABLE", 0]
