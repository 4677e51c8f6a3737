"""The meetra command on a running system."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pypdfium2
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.deploy.test_observability import ENVOY
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
    recording.write_bytes(excerpt(45, mark="command line"))
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
    recording.write_bytes(excerpt(45, mark="command line"))
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


def test_metrics_of_all_processes_are_on_one_address_and_name_nobody(system: System, rest: Rest) -> None:
    rest.analysed(excerpt(8, mark="counted"), name="Quincunx")
    assert rest.get("/metrics").status_code == 404, "the gateway tells none"
    text = httpx.get(system.metrics, timeout=60).text
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    processes = {sample.labels["process"] for samples in found.values() for sample in samples}
    assert processes == {"api", "worker", "inference", "envoy", "supervisor"}
    assert {s.labels["program"] for s in found["meetra_program_up"] if s.value == 1} == {
        "postgres",
        *(processes - {"supervisor"}),
    }
    uploaded = [s.value for s in found["meetra_calls_total"] if s.labels["method"] == "MeetingService/UploadMeeting"]
    assert uploaded
    assert {s.labels["process"]: s.value > 0 for s in found["meetra_analysis_rtf_count"]}["worker"]
    assert sum(s.value for s in found["meetra_engine_audio_seconds_total"]) >= 8
    assert sum(s.value for s in found["meetra_engine_speech_seconds_total"]) > 0
    assert {s.labels["state"] for s in found["meetra_jobs"]} == {"waiting", "running"}
    assert {s.labels["process"] for s in found["meetra_disk_free_bytes"]} == {"api", "worker"}
    # The parser gives counters of Envoy that do not end in _total that end.
    for name, labels in ENVOY.items():
        samples = found.get(name) or found[f"{name}_total"]
        assert labels <= samples[0].labels.keys(), name
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{64}|Quincunx|@", text), "no ids, no names"
    for socket in (system.data / "run").glob("*.sock"):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600, socket


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


def test_meetings_are_listed_reported_exported_opened_and_deleted(system: System, rest: Rest, tmp_path: Path) -> None:
    recording = tmp_path / "to delete.wav"
    recording.write_bytes(excerpt(20))
    assert system.meetra("analyze", str(recording), "--date", "2026-11-23").returncode == 0
    listed = system.meetra("meetings", "list", "--json", "--limit", "1")
    (meeting,) = map(json.loads, listed.stdout.splitlines())
    assert (meeting["name"], meeting["status"]) == ("to delete.wav", "ready")
    digits = meeting["file_hash"][:12]
    row = next(line for line in system.meetra("meetings", "list").stdout.splitlines() if digits in line)
    assert row.split() == [digits, "2026-11-23", "0:00:20", str(meeting["speakers"]), "ready", "to", "delete.wav"]

    report = system.meetra("report", digits)
    assert "Balance" in report.stdout, report.stderr
    asked = {"file-hash": meeting["file_hash"], "include_details": "true"}
    balance = rest.http.get("/single-feature-api/meeting/balance-score", params=asked).json()
    assert json.loads(system.meetra("report", "latest", "--json").stdout)["balance"] == balance

    subtitles = tmp_path / "meeting.srt"
    assert system.meetra("export", digits, "--format", "srt", "-o", str(subtitles)).returncode == 0
    assert subtitles.read_text().startswith("1\n00:00:0")
    assert system.meetra("export", digits, "--format", "srt").stdout == subtitles.read_text()
    unknown = system.meetra("export", digits, "--format", "doc", "-o", str(subtitles))
    assert unknown.returncode == 1
    assert "format" in unknown.stderr
    assert subtitles.read_text().startswith("1\n"), "what was there stays where an export fails"
    printed = tmp_path / "meeting.pdf"
    assert system.meetra("export", digits, "--format", "pdf", "-o", str(printed)).returncode == 0
    pages = pypdfium2.PdfDocument(printed)
    assert "Daniel" in "".join(page.get_textpage().get_text_range() for page in pages)
    sound = tmp_path / "meeting.webm"
    assert system.meetra("export", digits, "--audio", "normalised", "-o", str(sound)).returncode == 0
    assert sound.read_bytes().startswith(b"\x1a\x45\xdf\xa3")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    opened = system.meetra("open", digits, "--print")
    assert opened.stdout.strip() == f"{system.gateway}/#/meetings/{meeting['file_hash']}"

    refused = subprocess.run(
        [sys.executable, "-m", "cli", "meetings", "delete", digits, "--data", str(system.data)],
        cwd=ROOT,
        input="n\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, "nothing was deleted" in refused.stdout) == (1, True)
    deleted = system.meetra("meetings", "delete", digits, "--yes")
    assert deleted.stdout.strip() == f"deleted {meeting['file_hash']}"
    gone = system.meetra("report", digits)
    assert gone.returncode == 1
    assert f"no meeting's file hash begins with {digits}" in gone.stderr


def test_the_doctor_finds_nothing_wrong_with_a_system_that_works(system: System) -> None:
    examined = system.meetra("doctor", "--json")
    found = json.loads(examined.stdout)
    assert [one for one in found if one["state"] == "wrong"] == []
    looked_at = {one["about"] for one in found}
    assert looked_at >= {"programs", "models", "disk", "gateway", "database", "analyses", "logs"}
    assert looked_at >= {"programs run", "live meetings", "engine"}
    assert examined.returncode == 0
    said = system.meetra("doctor").stdout
    assert f"good    gateway: {system.gateway} logs in and answers" in said


def test_the_shell_completes_commands_and_options() -> None:
    script = 'eval "$(python -m cli completion bash)"; complete -p meetra'
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    made = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert made.stdout.strip().endswith("meetra")
    asked = {
        **environment,
        "_ARGCOMPLETE": "1",
        "COMP_LINE": "meetra exp",
        "COMP_POINT": "10",
        "_ARGCOMPLETE_IFS": "\n",
    }
    line = 'exec 8>&1; "$0" -m cli'
    offered = subprocess.run(
        ["bash", "-c", line, sys.executable], cwd=ROOT, env=asked, capture_output=True, text=True, check=True
    )
    assert offered.stdout.strip() == "export"
