"""Uploads in the page, in a real Chromium: chosen, sent in pieces, on while the API dies, refused with why."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from tests.browser.chromium import Page
from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

FILES = 'css=.upload input[type="file"]'
# The second piece is held back until it is let go; what is sent is told.
HOLD_SECOND_PIECE = """() => {
  const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
  const told = new WeakMap();
  window.asked = [];
  XMLHttpRequest.prototype.open = function (method, ...rest) {
    told.set(this, { method });
    return open.call(this, method, ...rest);
  };
  XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
    if (name.toLowerCase() === "upload-offset") told.get(this).offset = Number(value);
    return setRequestHeader.call(this, name, value);
  };
  XMLHttpRequest.prototype.send = function (body) {
    const request = told.get(this);
    const go = () => (window.asked.push(request), send.call(this, body));
    if (request.offset > 0 && !window.letGo) window.letGo = go;
    else go();
  };
}"""
UNTIL = """(condition) => new Promise((resolve) => {
  const look = setInterval(() => window.conditions[condition]() && resolve(clearInterval(look)), 50);
})"""
CONDITIONS = """() => {
  window.conditions = {
    held: () => window.letGo,
    // The creation, and two questions since.
    refused: () => window.asked.filter(({ method }) => method !== "PATCH").length >= 3,
  };
}"""


def written(folder: Path, name: str, recording: bytes) -> Path:
    file = folder / name
    file.write_bytes(recording)
    return file


def test_files_become_meetings_with_what_is_said_of_them(
    signed_in: Callable[..., Page], rest: Rest, tmp_path: Path
) -> None:
    first, second = excerpt(6, mark="page one"), excerpt(6, mark="page two")
    page = signed_in("/")
    page.wait_for(FILES, "attached")
    assert page.violations(".upload") == []
    page.click("css=.upload summary")
    page.fill('role=textbox[name="Name"]', "From the page")
    page.fill('role=textbox[name="Language"]', "en")
    page.fill('role=textbox[name="Number of people"]', "2")
    page.choose_files(FILES, written(tmp_path, "one.wav", first))
    page.wait_for('role=link[name="Open one.wav"]')
    # The list has it without being loaded again; the name is used up.
    page.wait_for("css=.meeting-table >> text=From the page")
    page.choose_files(FILES, written(tmp_path, "two.wav", second))
    page.wait_for('role=link[name="Open two.wav"]')
    for recording, name in ((first, "From the page"), (second, "two.wav")):
        file_hash = hashlib.sha256(recording).hexdigest()
        state = rest.get("/single-feature-api/meeting/status", file_hash=file_hash).json()
        assert (state["name"], state["language"]) == (name, "en")
    page.click('role=link[name="Open one.wav"]')
    page.wait_for("role=heading[name=/From the page/]")


def test_what_is_no_recording_is_refused_with_why(signed_in: Callable[..., Page], tmp_path: Path) -> None:
    page = signed_in("/")
    page.wait_for(FILES, "attached")
    page.click("css=.upload summary")
    page.fill('role=textbox[name="Number of people"]', "many")
    page.choose_files(FILES, written(tmp_path, "note.wav", excerpt(3, mark="refused")))
    page.wait_for("css=.uploads >> role=alert")
    said = page.evaluate("() => document.querySelector('.uploads [role=alert]').textContent")
    assert said == "n_speakers: must be a whole number from 1 to 64"
    page.click('role=button[name="Remove note.wav from this list"]')
    page.wait_for("css=.uploads", "hidden")


def test_an_upload_goes_on_after_the_api_died(
    signed_in: Callable[..., Page], system: System, rest: Rest, tmp_path: Path
) -> None:
    recording = excerpt(20, mark="page killed")
    page = signed_in("/")
    page.wait_for(FILES, "attached")
    pid = system.pid("api")
    system.kill("api")
    page.choose_files(FILES, written(tmp_path, "killed.wav", recording))
    page.wait_for('role=link[name="Open killed.wav"]')
    assert system.pid("api") != pid
    file_hash = hashlib.sha256(recording).hexdigest()
    (stored,) = (system.data / "audio").glob(f"*/{file_hash[:2]}/{file_hash}/original")
    assert stored.read_bytes() == recording


def test_an_upload_that_broke_in_the_middle_sends_no_piece_twice(
    signed_in: Callable[..., Page], system: System, tmp_path: Path
) -> None:
    # Some pieces; that it is no recording is found when all of it has come.
    recording = os.urandom(40 * 1024 * 1024)
    page = signed_in("/")
    page.wait_for(FILES, "attached")
    page.evaluate(HOLD_SECOND_PIECE)
    page.evaluate(CONDITIONS)
    page.choose_files(FILES, written(tmp_path, "broken.wav", recording))
    page.evaluate(UNTIL, "held")
    with system.paused():
        system.kill("api")
        page.evaluate("() => window.letGo()")
        # How far it is cannot be asked, again and again.
        page.evaluate(UNTIL, "refused")
    page.wait_for('role=link[name="Open broken.wav"]')
    asked = page.evaluate("() => window.asked")
    assert [one["method"] for one in asked].count("POST") == 1
    assert [one["offset"] for one in asked if one["method"] == "PATCH"].count(0) == 1
    file_hash = hashlib.sha256(recording).hexdigest()
    (stored,) = (system.data / "audio").glob(f"*/{file_hash[:2]}/{file_hash}/original")
    assert stored.read_bytes() == recording
