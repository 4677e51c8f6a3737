"""The Python client as a stranger has it, on a real system: its examples, and those of its README."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from meetra_client import BadRequest, MeetingNotFound, MeetraClient, Track
from tests.clients.python.stranger import strangers_python
from tests.e2e.conftest import READY_TIMEOUT_S, System
from tests.recordings import ROOT, sample_pcm, wav

CLIENT = ROOT / "clients" / "python"
EXAMPLES = CLIENT / "examples"
README = re.findall(r"```python\n(.+?)```", (CLIENT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
# What each program of the README prints, in its order.
README_PRINTS = {
    "a live meeting": r"(.*\n)*(Speaker \d|Daniel): .+\n(.*\n)*ready .*\n(.*\n)*[1-9]\d* entries\n",
    "a recording": r"(\d+ of \d+ bytes\n)+(\w+: \d+ %\n)+balance [\d.]+\n(00:00:\d\d .+\n)+",
    "a stub": r"(.*\n)*Standup ready \d+ s\n(.*\n)*",
    "a resumed meeting": r"ready\n",
    "threads": r"(.*\n)*FINAL (Speaker \d|Daniel) .+\n",
    "errors": r"no such meeting\n",
}
SPEECH = sample_pcm()[: 12 * 16_000]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the client's wheel and nothing of ours besides."""
    return strangers_python(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording."""
    (tmp_path / "meeting.wav").write_bytes(wav(SPEECH))
    return tmp_path


class Stranger:
    """Runs programs against a system, which they find by the environment."""

    def __init__(self, python: Path, folder: Path, system: System) -> None:
        self._python, self._folder = python, folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "MEETRA_URL": system.gateway,
            "MEETRA_EMAIL": system.email,
            "MEETRA_PASSWORD": system.password,
        }

    def begin(self, program: Path, *arguments: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        # -P: what lies beside the program is no module of it.
        command = [str(self._python), "-P", str(program), *arguments]
        return subprocess.Popen(command, cwd=self._folder, env=self._environment, stdin=pipe, stdout=pipe, stderr=pipe)

    def run(self, program: Path, *arguments: str, given: bytes = b"") -> str:
        with self.begin(program, *arguments) as running:
            out, err = running.communicate(given, timeout=READY_TIMEOUT_S)
        assert running.returncode == 0, err.decode()
        return out.decode()


@pytest.fixture
def stranger(python: Path, folder: Path, system: System) -> Stranger:
    return Stranger(python, folder, system)


def test_each_program_of_the_readme_is_run() -> None:
    assert len(README) == len(README_PRINTS)


@pytest.mark.parametrize("number", range(len(README_PRINTS)), ids=README_PRINTS.keys())
def test_a_program_of_the_readme_does_what_it_says(stranger: Stranger, folder: Path, number: int) -> None:
    program = folder / "program.py"
    program.write_text(README[number], encoding="utf-8")
    printed = stranger.run(program)
    assert re.fullmatch(list(README_PRINTS.values())[number], printed), printed


def test_a_bot_prints_who_says_what_and_ends_with_the_meeting(stranger: Stranger) -> None:
    *lines, last = stranger.run(EXAMPLES / "bot.py", given=SPEECH.tobytes()).splitlines()
    assert re.fullmatch(r"ready [0-9a-f]{64}", last)
    assert lines
    assert all(re.match(r"(Speaker \d|Daniel|Unknown): .", line) for line in lines), lines


def test_a_bot_has_twenty_lines_between_its_imports_and_its_end() -> None:
    body = (EXAMPLES / "bot.py").read_text(encoding="utf-8").split("async def main")[1]
    assert len(body.splitlines()) <= 20


def test_a_file_is_transcribed(stranger: Stranger) -> None:
    lines = stranger.run(EXAMPLES / "transcribe_file.py", "meeting.wav").splitlines()
    assert lines
    assert all(re.match(r"00:00:\d\d  (Speaker \d|Daniel): \w", line) for line in lines), lines


def test_an_upload_tells_its_progress_and_then_the_answers(stranger: Stranger) -> None:
    with stranger.begin(EXAMPLES / "upload.py", "meeting.wav") as running:
        out, err = running.communicate(timeout=READY_TIMEOUT_S)
    assert running.returncode == 0, err.decode()
    total = len(wav(SPEECH))
    told = err.decode().splitlines()
    assert told[0] == f"sent 0 of {total} bytes"
    assert f"sent {total} of {total} bytes" in told
    assert told[-1] == "100 %"
    file_hash, *answers = out.decode().splitlines()
    assert re.fullmatch("[0-9a-f]{64}", file_hash)
    assert re.fullmatch(r"balance \d+ of 100", answers[0])
    assert any(answers[1:])


def test_people_of_a_conference_join_and_leave(stranger: Stranger, folder: Path) -> None:
    (folder / "ben.wav").write_bytes(wav(sample_pcm()[30 * 16_000 : 40 * 16_000]))
    lines = stranger.run(EXAMPLES / "conference.py", "Ada=meeting.wav", "Ben=ben.wav").splitlines()
    assert [line for line in lines if re.fullmatch(r"\w+ (added|ended)", line)] == [
        "Ada added",
        "Ada ended",
        "Ben added",
        "Ben ended",
    ]
    assert any(line.startswith("Ben: ") for line in lines), lines
    assert any(re.match(r"00:00:\d\d,\d{3} --> ", line) for line in lines), lines


async def test_a_watcher_prints_what_others_send(stranger: Stranger, system: System) -> None:
    client = MeetraClient(system.gateway, email=system.email, password=system.password)
    async with client, client.live(tracks=[Track("mix", participant_name="Ada")]) as meeting:
        watching = stranger.begin(EXAMPLES / "watch.py", meeting.session_id)
        await meeting.send("mix", SPEECH.tobytes())
        finished = await meeting.finish()
    with watching:
        out, err = watching.communicate(timeout=READY_TIMEOUT_S)
    assert watching.returncode == 0, err.decode()
    *lines, last = out.decode().splitlines()
    assert last == f"ready {finished.file_hash}"
    assert any(re.match(r"\d+ from \d+\.\d s, Ada: \w", line) for line in lines), lines
    assert "Ada 100 %" in lines


async def test_what_the_server_refuses_is_an_error_of_its_own_type(system: System) -> None:
    async with MeetraClient(system.gateway, email=system.email, password=system.password) as client:
        with pytest.raises(BadRequest) as refused:
            await client.upload(wav(SPEECH), name="\u202e")
        assert refused.value.facts["field"] == "name"
        unknown = "0" * 64
        for asked in (client.status(unknown), client.transcript(unknown), client.delete(unknown)):
            with pytest.raises(MeetingNotFound):
                await asked


async def test_a_meeting_is_listed_named_and_deleted(system: System) -> None:
    async with MeetraClient(system.gateway, email=system.email, password=system.password) as client:
        receipt = await client.upload(wav(SPEECH, mark="of this test"), name="To be deleted")
        assert (await client.wait(receipt.file_hash)).status == "ready"
        assert receipt.file_hash in [meeting.file_hash async for meeting in client.meetings(page_size=1)]
        speaker = (await client.speakers(receipt.file_hash)).speakers[0]
        await client.rename_speaker(speaker.id, "Zoë")
        assert (await client.speakers(receipt.file_hash)).speakers[0].alias == "Zoë"
        assert (await client.insights.quality(receipt.file_hash)).ListFields()
        await client.delete(receipt.file_hash, undo_seconds=600)
        await client.restore(receipt.file_hash)
        await client.delete(receipt.file_hash)
        assert receipt.file_hash not in [meeting.file_hash async for meeting in client.meetings()]
