"""What is said where words or speech are missing: in the status, in details, in the report; and languages by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import Rest, System
from tests.e2e.live_bot import PLAIN, connected
from tests.recordings import RATE_HZ, excerpt, wav

NOISE = np.round(np.random.default_rng(5).normal(0, 20, 6 * RATE_HZ)).astype(np.int16)


@pytest.mark.parametrize("language", ["auto", "English"])
def test_a_language_by_code_or_name_gives_words(rest: Rest, language: str) -> None:
    file_hash = rest.analysed(excerpt(8, mark=f"in {language}"), language=language)
    state = rest.settled(file_hash)
    assert state["language"] == "en"
    # Of `auto` it was detected.
    assert ("language_confidence" in state) is (language == "auto")
    assert (state["speech_found"], state["message"]) == (True, "Ready")
    assert "notice" not in state
    details = details_of(rest, file_hash)
    assert (len(details["words"]) > 5, details["reliable"], details["advice"]) == (True, True, "")


def details_of(rest: Rest, file_hash: str) -> dict[str, Any]:
    """Of the transcript."""
    answer = rest.http.get(
        "/single-feature-api/meeting/transcription", params={"file-hash": file_hash, "include_details": "true"}
    )
    found: dict[str, Any] = answer.json()["details"]
    return found


def test_what_is_no_language_is_refused_and_says_what_is(rest: Rest) -> None:
    refused = rest.upload(excerpt(1, mark="refused"), language="Englishish tongue")
    assert refused.status_code == 400
    message = refused.json()["message"]
    assert message.startswith("Bad request: language: must be one language: a BCP 47 tag (en, pt-BR)")
    assert "auto" in message


def test_a_language_that_the_recogniser_does_not_know_gives_no_words_and_says_so(rest: Rest) -> None:
    file_hash = rest.analysed(excerpt(8, mark="in Irish"), language="Irish")
    state = rest.settled(file_hash)
    assert (state["language"], state["speech_found"]) == ("ga", True)
    assert "no words: the recogniser does not support Irish (ga)" in state["notice"]
    assert state["message"] == f"Ready. {state['notice']}"
    details = details_of(rest, file_hash)
    assert (details["words"], details["reliable"], details["advice"]) == ([], False, state["notice"])
    # Who speaks is known all the same.
    assert rest.get("/speakers-balance", file_hash=file_hash).json()["speakers"]


def test_a_recording_without_speech_says_so_with_its_level(system: System, rest: Rest, tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    path.write_bytes(wav(NOISE))
    said = system.meetra("analyze", str(path))
    assert said.returncode == 0, said.stderr
    file_hash = rest.upload(wav(NOISE)).json()["file_hash"]
    state = rest.settled(file_hash)
    assert (state["status"], state["speech_found"]) == ("ready", False)
    assert state["notice"].startswith("No speech was found. Analysed: ")
    assert "6.0 s at -64.3 dBFS, barely audible" in state["notice"]
    assert state["message"] == f"Ready. {state['notice']}"
    details = details_of(rest, file_hash)
    assert (details["notice"], details["reliable"]) == (state["notice"], False)
    report = rest.get("/single-feature-api/meeting/quality", file_hash=file_hash).json()
    assert report["notice"] == state["notice"]
    # The command prints it, on a line that is as long as it is.
    assert state["notice"] in said.stdout.replace("\n", " ")


async def test_a_live_meeting_without_speech_says_so(rest: Rest) -> None:
    async with connected(rest) as bot:
        await bot.open(PLAIN)
        await bot.audio(NOISE.astype("<i2").tobytes())
        finished = await bot.finish()
    assert finished.status == "ready"
    assert finished.message.startswith("Ready. No speech was found. Analysed: track mix, 6.0 s at -64.3 dBFS")
    state = rest.settled(finished.file_hash)
    assert (state["speech_found"], state["message"]) == (False, finished.message)


async def test_a_live_meeting_without_audio_says_so(rest: Rest) -> None:
    async with connected(rest) as bot:
        await bot.open(PLAIN)
        finished = await bot.finish()
    assert finished.message.startswith("Ready. No speech was found. Analysed: track mix, without any audio.")
