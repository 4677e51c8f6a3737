"""`meetra stream` on a running system: whatever happens on the way, the meeting ends as if nothing had."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System
from tests.recordings import RATE_HZ, ROOT, excerpt, sample_pcm

SECONDS = 22
Line = dict[str, Any]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "standup.wav"
    path.write_bytes(excerpt(SECONDS))
    return path


def lines_of(text: str) -> list[Line]:
    return [json.loads(line) for line in text.splitlines()]


def said_in(events: list[Line]) -> list[tuple[str, str]]:
    """Alias and words of every turn, as the events leave it at last."""
    turns = {event["turn"]["segment_id"]: event["turn"] for event in events if "turn" in event}
    left = [turn for turn in turns.values() if turn["state"] != "LIVE_TURN_STATE_RETRACTED"]
    assert {turn["state"] for turn in left} == {"LIVE_TURN_STATE_FINAL"}
    ordered = sorted(left, key=lambda turn: turn["start_ms"])
    return [(turn["alias"], " ".join(word["text"] for word in turn["words"])) for turn in ordered]


def assert_complete(lines: list[Line]) -> None:
    """The session, then every event once and in order, the last of them `finished`."""
    assert "ready" in lines[0]
    assert [line["event_seq"] for line in lines[1:]] == list(range(1, len(lines)))
    assert lines[-1]["finished"]["status"] == "ready"


@pytest.fixture(scope="module")
def undisturbed(system: System, recording: Path) -> list[Line]:
    """What is said of the recording when nothing goes wrong."""
    told = system.meetra("stream", str(recording), "--speed", "0", "--json", "--name", "Morgenrunde")
    assert told.returncode == 0, told.stderr
    lines = lines_of(told.stdout)
    assert_complete(lines)
    return lines


@contextmanager
def streaming(system: System, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cli", "stream", *arguments, "--data", str(system.data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def read_until(process: subprocess.Popen[str], kind: str) -> list[Line]:
    assert process.stdout is not None
    lines: list[Line] = []
    for text in process.stdout:
        lines.append(json.loads(text))
        if kind in lines[-1]:
            return lines
    raise AssertionError(f"no {kind} in {lines}")


def test_a_streamed_recording_is_a_meeting_like_any_other(undisturbed: list[Line], rest: Rest, recording: Path) -> None:
    file_hash = undisturbed[-1]["finished"]["file_hash"]
    assert undisturbed[0]["ready"]["file_hash"] == file_hash
    told = rest.get("/single-feature-api/meeting/transcription", file_hash=file_hash)
    assert "good morning everyone" in told.text.lower()
    assert len({alias for alias, _ in said_in(undisturbed)}) >= 2


def test_a_bad_network_changes_nothing_of_what_is_said_in_the_end(
    system: System, recording: Path, undisturbed: list[Line]
) -> None:
    told = system.meetra("stream", str(recording), "--speed", "6", "--drop-every", "0.6", "--json")
    assert told.returncode == 0, told.stderr
    lines = lines_of(told.stdout)
    assert_complete(lines)
    assert said_in(lines[1:]) == said_in(undisturbed[1:])


def test_a_bot_that_was_killed_goes_on_where_its_audio_ended(
    system: System, recording: Path, undisturbed: list[Line]
) -> None:
    with streaming(system, str(recording), "--speed", "3", "--json") as process:
        session = read_until(process, "ready")[0]["ready"]["session_id"]
        read_until(process, "turn")
        process.send_signal(signal.SIGKILL)
    told = system.meetra("stream", str(recording), "--speed", "0", "--resume", session, "--json")
    assert told.returncode == 0, told.stderr
    lines = lines_of(told.stdout)
    assert lines[0]["ready"]["tracks"][0]["next_sample"] > 0
    assert_complete(lines)
    assert said_in(lines[1:]) == said_in(undisturbed[1:])


def shown_until(process: subprocess.Popen[str], part: str) -> str:
    assert process.stdout is not None
    shown = ""
    while part not in shown:
        line = process.stdout.readline()
        assert line, f"no {part} in {shown}"
        shown += line
    return shown


def test_ctrl_c_finishes_the_meeting_and_prints_its_report(system: System, recording: Path) -> None:
    with streaming(system, str(recording), "--participant", "Zoë") as process:
        shown = shown_until(process, "Zoë: ")
        process.send_signal(signal.SIGINT)
        report, errors = process.communicate(timeout=READY_TIMEOUT_S)
    assert process.returncode == 0, errors
    assert "Session " in shown
    for part in ("Finishing", "standup.wav", "Zoë", "Balance", "File hash "):
        assert part in report
    assert "\x1b" not in shown + report


def test_ctrl_c_while_it_finishes_leaves_at_once_and_says_how_to_go_on(system: System, recording: Path) -> None:
    # The engine stands still: nothing is finished before it goes on.
    with system.paused("inference"), streaming(system, str(recording), "--speed", "0") as process:
        session = shown_until(process, "Finishing").split()[1]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=READY_TIMEOUT_S)
    assert process.returncode == 130, errors
    assert f"--resume {session}" in errors
    again = system.meetra("stream", str(recording), "--resume", session)
    assert again.returncode == 0, again.stderr
    assert "File hash " in again.stdout


def test_raw_samples_come_from_standard_input(system: System) -> None:
    pcm = sample_pcm()[: 8 * RATE_HZ]
    stereo = pcm.repeat(2).astype("<i2").tobytes() + b"odd"
    command = [
        sys.executable,
        "-m",
        "cli",
        "stream",
        "-",
        "--channels",
        "2",
        "--json",
        "--data",
        str(system.data),
    ]
    told = subprocess.run(command, cwd=ROOT, input=stereo, capture_output=True, check=False, timeout=READY_TIMEOUT_S)
    assert told.returncode == 0, told.stderr
    lines = lines_of(told.stdout.decode())
    assert_complete(lines)
    assert any("morning" in words for _, words in said_in(lines[1:]))


def test_each_channel_of_standard_input_may_be_a_participant(system: System) -> None:
    pcm = np.stack([sample_pcm()[: 8 * RATE_HZ], np.zeros(8 * RATE_HZ, np.int16)], axis=1).astype("<i2").tobytes()
    command = [sys.executable, "-m", "cli", "stream", "-", "--channels", "2", "--separate", "--json"]
    command += ["--participant", "Ana", "--participant", "Ben", "--data", str(system.data)]
    told = subprocess.run(command, cwd=ROOT, input=pcm, capture_output=True, check=False, timeout=READY_TIMEOUT_S)
    assert told.returncode == 0, told.stderr
    lines = lines_of(told.stdout.decode())
    assert_complete(lines)
    turns = [line["turn"] for line in lines if "turn" in line]
    assert {(turn["alias"], turn["channel"]) for turn in turns} == {("Ana", 1)}


def test_several_recordings_are_one_participant_each(system: System, recording: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(excerpt(10, mark="other"))
    told = system.meetra(
        "stream", "--speed", "0", "--json", "--participant", "Ana", "--participant", "Ben", str(recording), str(other)
    )
    assert told.returncode == 0, told.stderr
    lines = lines_of(told.stdout)
    assert_complete(lines)
    assert [track["track_id"] for track in lines[0]["ready"]["tracks"]] == ["participant-1", "participant-2"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["README.md"], "not a readable audio or video file"),
        (["nowhere.wav"], "recording not found"),
        (["sample", "sample"], "require one --participant NAME each"),
        (["sample", "--participant", "Ana", "--participant", "Ben"], "2 --participant for 1"),
        ([], "specify either recordings"),
        (["sample", "--separate"], "--separate applies only to `-`"),
        (["-", "--channels", "2", "--separate", "--participant", "Ana"], "1 --participant for 2"),
        (["sample", "--password", "wrong"], "Invalid email or password"),
        (["sample", "--resume", "00000000-0000-0000-0000-000000000001"], "not found"),
        (["--mic", "no-such-device"], "no microphone could be opened"),
    ],
    ids=str,
)
def test_what_cannot_be_streamed_is_refused_in_one_line_before_a_meeting_is_opened(
    system: System, arguments: list[str], reason: str
) -> None:
    told = system.meetra("stream", *arguments)
    assert told.returncode == 1
    assert reason in told.stderr.splitlines()[-1]
    assert "Session" not in told.stdout
