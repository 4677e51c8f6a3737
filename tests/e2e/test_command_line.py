"""The meetra command on a running system."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.conftest import System
from tests.recordings import excerpt


def test_analyze_prints_an_honest_report(system: System, tmp_path: Path) -> None:
    recording = tmp_path / "standup.wav"
    recording.write_bytes(excerpt(45))
    said = system.meetra("analyze", str(recording))
    assert said.returncode == 0, said.stderr
    for part in ("standup.wav", "Speaker 1", "Balance", "Interaction", "budget", "not measured by this engine"):
        assert part in said.stdout
    assert "\x1b" not in said.stdout


def test_analyze_as_json_carries_every_answer(system: System, tmp_path: Path) -> None:
    recording = tmp_path / "standup.wav"
    recording.write_bytes(excerpt(45))
    said = json.loads(system.meetra("analyze", str(recording), "--json").stdout)
    assert said["interaction"]["details"]["components"]
    assert said["transcript"]["details"]["reliable"] is True


def test_analyze_says_why_a_recording_failed(system: System, tmp_path: Path) -> None:
    recording = tmp_path / "letter.wav"
    recording.write_text("Dear all,")
    said = system.meetra("analyze", str(recording))
    assert said.returncode == 1
    assert "not audio or video" in said.stdout


def test_env_prints_what_the_readme_calls_need(system: System) -> None:
    script = system.meetra("env").stdout + 'echo "$MEETRA_URL $MEETRA_EMAIL"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == f"{system.gateway} {system.email}"
