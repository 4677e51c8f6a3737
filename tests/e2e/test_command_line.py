"""The meetra command on a running system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System
from tests.e2e.contract import CONTRACT
from tests.recordings import RATE_HZ, ROOT, excerpt, wav

# The keys of the JSON, and the last part of the path under which REST gives the same.
ROW_OF = {
    "speakers": "speakers",
    "quality": "quality",
    "balance": "balance-score",
    "shares": "speakers-balance",
    "interaction": "meeting-interaction_score",
    "pairs": "meeting-interactions",
    "energy": "meeting-energy",
    "sentiment": "meeting-sentiment",
    "emotions": "meeting-emotions",
    "emotions_over_time": "speaker-emotions-over-time",
    "dynamics": "meeting-dynamics",
    "topics": "topics",
    "details_by_topics": "details-by-topics",
    "summaries": "text-summaries",
    "key_points": "key-points",
    "questions": "questions",
    "audio_quality": "speakers-audio-quality",
    "transcript": "transcription",
}


def test_analyze_prints_an_honest_report(system: System, tmp_path: Path) -> None:
    recording = tmp_path / "standup.wav"
    recording.write_bytes(excerpt(45))
    said = system.meetra("analyze", str(recording))
    assert said.returncode == 0, said.stderr
    report = said.stdout
    for part in (
        "standup.wav",
        "Meeting quality ",
        " of 100",
        "Daniel",  # from what is said
        "Speaker 2",
        "Balance",
        "Interaction",
        "Energy",
        "Sentiment",
        "Emotions in the words: ",
        "Who talks with whom",
        "Flow: ",
        "reliable enough to read",
        "Summary",
        "Topics",
        "00:00:00 - 00:00:45",
        "Key points",
        "Questions",
        "Audio quality",
        "MOS ",
        "Transcript",
        "budget",
        "overlapping speech in ",
    ):
        assert part in report, part
    assert "\x1b" not in report
    # Short enough to be read at a glance.
    assert len(report.splitlines()) < 80


def test_the_report_of_an_empty_recording_says_what_is_missing(system: System, tmp_path: Path) -> None:
    recording = tmp_path / "silence.wav"
    recording.write_bytes(wav(np.zeros(20 * RATE_HZ, np.int16), mark="silence"))
    said = system.meetra("analyze", str(recording))
    assert said.returncode == 0, said.stderr
    assert "No speech was found." in said.stdout
    assert "20 s of digital silence" in said.stdout
    assert "No words were recognised." in said.stdout
    for absent in ("Meeting quality", "Audio quality", "Key points", "Questions", "Topics"):
        assert absent not in said.stdout


def test_analyze_as_json_carries_every_answer_as_rest_gives_it(system: System, rest: Rest, tmp_path: Path) -> None:
    recording = tmp_path / "standup.wav"
    recording.write_bytes(excerpt(45))
    said = json.loads(system.meetra("analyze", str(recording), "--json").stdout)
    rows = {e.path.rsplit("/", 1)[1]: e for e in CONTRACT if e.by_hash and e.row != "2b"}
    assert len(ROW_OF) == len(rows)
    for name, path in ROW_OF.items():
        params = {"file-hash": said["file_hash"]}
        plain = rest.http.get(rows[path].path, params=params).json()
        assert plain.keys() <= said[name].keys(), name
        detailed = rest.http.get(rows[path].path, params={**params, "include_details": "true"})
        if detailed.status_code == 200:
            assert said[name] == detailed.json(), name
        else:
            assert said[name] == plain, name


def test_analyze_says_why_a_recording_failed(system: System, tmp_path: Path) -> None:
    recording = tmp_path / "letter.wav"
    recording.write_text("Dear all,")
    said = system.meetra("analyze", str(recording))
    assert said.returncode == 1
    assert "not a readable audio or video file" in said.stdout


def test_env_prints_what_the_readme_calls_need(system: System) -> None:
    script = system.meetra("env").stdout + 'echo "$MEETRA_URL $MEETRA_EMAIL"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == f"{system.gateway} {system.email}"


def test_up_stops_at_once_and_says_which_model_does_not_fit(tmp_path: Path) -> None:
    broken = tmp_path / "vad.onnx"
    broken.write_bytes(b"no graph")
    command = [sys.executable, "-m", "cli", "up", "--data", str(tmp_path / "data"), "--port", "0"]
    environment = {**os.environ, "MEETRA_INFERENCE_VAD": str(broken)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=READY_TIMEOUT_S
    )
    assert done.returncode == 1
    assert f"MEETRA_INFERENCE_VAD={broken}" in done.stderr, done.stderr
    assert "not a usable ONNX model" in done.stderr
