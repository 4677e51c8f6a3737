"""What the tests in a browser stand on: a microphone that speaks, and a browser that keeps origins apart."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import av
import numpy as np
import pytest

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.recordings import RATE_HZ, wav

RECORD = """async (milliseconds) => {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  });
  const recorder = new MediaRecorder(stream, { mimeType: "audio/webm;codecs=opus" });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start(100);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  recorder.stop();
  await stopped;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""


def decoded(webm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Mono audio of a file, at its own rate."""
    with av.open(io.BytesIO(webm), "r") as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float32)


def test_the_microphone_says_what_a_file_says(site: Site, open_page: OpenPage, tmp_path: Path) -> None:
    microphone = tmp_path / "microphone.wav"
    # A tone of 440 Hz, which no fake device makes by itself.
    tone = np.sin(2 * np.pi * 440 * np.arange(20 * RATE_HZ) / RATE_HZ) * 8000
    microphone.write_bytes(wav(tone.astype(np.int16)))
    page = open_page(f"{site.origin}/blank.html", microphone=microphone)
    audio = decoded(base64.b64decode(page.evaluate(RECORD, 3000)))
    assert len(audio) > 48_000
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    assert np.fft.rfftfreq(len(audio), 1 / 48_000)[spectrum.argmax()] == pytest.approx(440, abs=5)


def test_a_page_has_what_a_live_meeting_needs(site: Site, open_page: OpenPage) -> None:
    page = open_page(f"{site.origin}/blank.html")
    found = page.evaluate("""() => [
      typeof MediaRecorder, typeof AudioWorkletNode, typeof WebSocket, isSecureContext,
      MediaRecorder.isTypeSupported("audio/webm;codecs=opus")
    ]""")
    assert found == ["function", "function", "function", True, True]


def test_another_origin_that_allows_nothing_cannot_be_read(
    site: Site, open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Site(tmp_path_factory.mktemp("other"))
    secret = other.add("secret.txt", "a secret")
    page = open_page(f"{site.origin}/blank.html")
    read = "(url) => fetch(url).then((answer) => answer.text(), (error) => error.name)"
    assert page.evaluate(read, secret) == "TypeError"
    # The page itself is not cut off: it reads what its own site serves.
    assert page.evaluate(read, site.add("open.txt", "for all")) == "for all"
    other.stop()


def test_an_error_of_the_page_fails_the_test(site: Site, open_page: OpenPage) -> None:
    page = open_page(f"{site.origin}/blank.html")
    with pytest.raises(AssertionError, match="no such thing"):
        page.evaluate("""() => { throw new Error("no such thing"); }""")
    assert page.evaluate("(given) => given + 1", 1) == 2


def test_a_page_can_lose_its_network(site: Site, open_page: OpenPage) -> None:
    page = open_page(f"{site.origin}/blank.html")
    read = """(url) => fetch(url, { cache: "no-store" }).then((answer) => answer.ok, () => false)"""
    page.set_offline(True)
    assert page.evaluate(read, "blank.html") is False
    page.set_offline(False)
    assert page.evaluate(read, "blank.html") is True
