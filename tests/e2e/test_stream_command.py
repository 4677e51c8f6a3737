"""`meetra stream` on a running system: whatever happens on the way, the meeting ends as if nothing had."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from server.live.session_registry import live_file_hash
from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System
from tests.recordings import RATE_HZ, ROOT, excerpt, sample_pcm
from tests.terminals import terminal

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


def test_ctrl_c_while_it_finishes_leaves_at_once_and_says_how_to_go_on(
    system: System, rest: Rest, recording: Path
) -> None:
    # The engine stands still: nothing is finished before it goes on.
    with system.paused("inference"), streaming(system, str(recording), "--speed", "0") as process:
        session = shown_until(process, "Finishing").split()[1]
        file_hash = live_file_hash(UUID(session))
        while rest.get("/single-feature-api/meeting/status", file_hash=file_hash).json()["status"] == "receiving":
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=READY_TIMEOUT_S)
    assert process.returncode == 130, errors
    assert f"--resume {session}" in errors
    # What is true by then: nobody has to come back for the meeting to be analysed.
    assert "has ended, and the server analyses it to the end without this command" in errors
    again = system.meetra("stream", str(recording), "--resume", session)
    assert again.returncode == 0, again.stderr
    assert "File hash " in again.stdout


def test_ctrl_c_before_the_audio_has_arrived_says_that_the_meeting_was_left(system: System, recording: Path) -> None:
    with streaming(system, str(recording), "--participant", "Zoë") as process:
        session = shown_until(process, "Zoë: ").split()[1]
        with system.paused("api"):
            process.send_signal(signal.SIGINT)
            shown_until(process, "Finishing")
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=READY_TIMEOUT_S)
    assert process.returncode == 130, errors
    assert "The server could not be asked how far the meeting is." in errors
    assert "The meeting was left; after " in errors
    again = system.meetra("stream", str(recording), "--participant", "Zoë", "--speed", "0", "--resume", session)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("output", [["--json"], []], ids=["json", "lines"])
def test_whoever_reads_the_output_may_leave(system: System, recording: Path, output: list[str]) -> None:
    with streaming(system, str(recording), "--participant", "Zoë", *output) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(READY_TIMEOUT_S)
    assert process.returncode == 128 + signal.SIGPIPE, errors
    assert "Traceback" not in errors
    assert "--resume " in errors


def test_the_words_are_seen_in_a_small_window_and_after_it_has_grown(system: System, recording: Path) -> None:
    command = [sys.executable, "-m", "cli", "stream", str(recording), "--participant", "Zoë", "--data"]
    with terminal([*command, str(system.data)], 20, 5) as window:
        window.wait_until(lambda lines: any("morning" in line for line in lines))
        window.resize(100, 30)
        # Each cell of the new window held a mark.
        window.wait_until(lambda lines: any("Zoë: " in line for line in lines) and "#" not in "".join(lines))
        window.process.send_signal(signal.SIGINT)
        window.wait_until(lambda lines: any("File hash" in line for line in lines))
        assert window.end() == 0
        assert b"Traceback" not in window.written


@pytest.mark.parametrize(
    ("gateway", "reason"),
    [
        ("http://127.0.0.1:1", "cannot reach http://127.0.0.1:1: "),
        ("http://nowhere.invalid", "cannot reach http://nowhere.invalid: "),
        ("here:8080", "invalid server address 'here:8080'"),
        ("http://here:99999", "invalid server address"),
        ("http://[::1", "invalid server address"),
        (f"http://{'a' * 70}.example", "cannot reach"),
    ],
    ids=["nothing there", "no such host", "no scheme", "no such port", "half a bracket", "no host name"],
)
@pytest.mark.parametrize("command", ["stream", "analyze"])
def test_a_gateway_that_cannot_be_reached_is_said_at_once(command: str, gateway: str, reason: str) -> None:
    arguments = [command, "sample/meeting.flac", "--gateway", gateway, "--email", "a@example.org", "--password", "p"]
    told = subprocess.run(
        [sys.executable, "-m", "cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert told.returncode == 1
    (line,) = told.stderr.splitlines()
    assert reason in line


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
        (["sample", "--rate", "8000"], "--rate and --channels apply only to `-`"),
        (["sample", "--channels", "1"], "--rate and --channels apply only to `-`"),
        (["--mic", "--rate", "16000"], "--rate and --channels apply only to `-`"),
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
