"""A call with its two sides left and right: uploaded and live, both are understood, also where they speak at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from meetra.v1 import live_pb2 as pb
from numpy.typing import NDArray

from tests.e2e.conftest import Rest, System
from tests.e2e.live_bot import CHUNK_BYTES, connected
from tests.e2e.test_live import answers
from tests.recordings import RATE_HZ, solo, wav

SEPARATE = {"channels": "separate"}


def side(voice: str, *parts: tuple[int, int, int], seconds: int = 24) -> NDArray[np.int16]:
    """One side of a call: parts (from, to, at) of what a voice says, in seconds; silence between them."""
    heard = np.zeros(seconds * RATE_HZ, np.int16)
    for begin, end, at in parts:
        said = solo(voice)[begin * RATE_HZ : end * RATE_HZ]
        heard[at * RATE_HZ : at * RATE_HZ + len(said)] = said
    return heard


def call() -> NDArray[np.int16]:
    """(samples, 2): they speak in turn, and from 12 to 18 s both at once."""
    left = side("rms", (0, 6, 0), (6, 12, 12))
    right = side("slt", (0, 6, 6), (6, 12, 12), (12, 16, 19))
    return np.stack([left, right], axis=1)


def transcript(rest: Rest, file_hash: str) -> dict[str, str]:
    """What each speaker says, by alias."""
    speakers = rest.get("/api/meeting/speakers", file_hash=file_hash).json()["speakers"]
    aliases = {speaker["id"]: speaker["alias"] for speaker in speakers}
    said: dict[str, str] = dict.fromkeys(aliases.values(), "")
    for entry in rest.get("/single-feature-api/meeting/transcription", file_hash=file_hash).json()["Transcription"]:
        said[aliases[entry["speaker"]]] += f" {entry['transcription']}"
    return said


def words(text: str) -> list[str]:
    return [word.strip(".,?!").lower() for word in text.split()]


@pytest.fixture(scope="module")
def uploaded(rest: Rest) -> str:
    return rest.analysed(wav(call()), **SEPARATE)


def test_each_side_of_a_call_has_its_own_words(rest: Rest, uploaded: str) -> None:
    left, right = (words(text) for text in transcript(rest, uploaded).values())
    # Half of it was said by both at once.
    assert {"daniel", "budget", "money", "numbers"} <= set(left)
    assert {"server", "company", "microphone", "goodbye"} <= set(right)
    assert not {"server", "company", "microphone", "goodbye"} & set(left)
    assert not {"budget", "money", "numbers"} & set(right)
    shares = rest.get("/speakers-balance", file_hash=uploaded).json()["speakers"]
    assert len(shares) == 2
    assert min(share["meeting_speaking_percentage"] for share in shares) > 30
    report = rest.http.get(
        "/single-feature-api/meeting/transcription", params={"file-hash": uploaded, "include_details": "true"}
    )
    assert report.json()["details"]["engine"]["overlap"] is True


async def test_the_same_call_live_answers_the_same(rest: Rest, uploaded: str) -> None:
    track = pb.TrackConfig(
        track_id="call",
        kind=pb.TRACK_KIND_PARTICIPANT,
        encoding=pb.AUDIO_ENCODING_PCM_S16LE,
        sample_rate_hz=RATE_HZ,
        channels=2,
        channel_use=pb.CHANNEL_USE_SEPARATE,
    )
    raw = call().astype("<i2").tobytes()
    async with connected(rest) as bot:
        ready = await bot.open(pb.LiveConfig(name="Call", tracks=[track]))
        assert [position.track_id for position in ready.tracks] == ["call"]
        for start in range(0, len(raw), CHUNK_BYTES):
            chunk = pb.AudioChunk(track_id="call", first_sample=start // 4, data=raw[start : start + CHUNK_BYTES])
            await bot.send(pb.StreamMeetingRequest(audio=chunk))
        finished = await bot.finish()
        assert bot.committed("call") == len(raw) // 4
        final = {turn.segment_id: turn for turn in bot.of("turn")}
        assert {t.channel for t in final.values() if t.state == pb.LIVE_TURN_STATE_FINAL} == {1, 2}
        assert bot.of("insights")[-1].HasField("interruptions")
    assert (finished.status, finished.message) == ("ready", "Ready")
    assert answers(rest, finished.file_hash) == answers(rest, uploaded)


def test_a_known_recording_keeps_its_channels_and_other_ones_are_refused(rest: Rest, uploaded: str) -> None:
    recording = wav(call())
    for fields in ({}, SEPARATE):
        again = rest.upload(recording, **fields)
        assert (again.status_code, again.json()) == (200, {"file_hash": uploaded, "status": "ready"})
    refused = rest.upload(recording, channels="mixed")
    message = (
        "channels: this recording was already analysed with channels=separate; to change that, delete the meeting and"
        " upload it again"
    )
    assert (refused.status_code, refused.json()) == (409, {"message": message})
    # Nothing of it is lost.
    assert rest.settled(uploaded)["status"] == "ready"
    assert len(transcript(rest, uploaded)) == 2


def test_channels_are_a_part_or_a_parameter_and_nothing_else(rest: Rest) -> None:
    refused = rest.upload(wav(call(), mark="wrong"), channels="stereo")
    message = "Bad request: channels: must be mixed or separate"
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    raw = rest.http.post(
        "/single-feature-api/upload?channels=stereo",
        content=wav(call(), mark="wrong"),
        headers={"content-type": "audio/wav"},
    )
    assert (raw.status_code, raw.json()) == (400, {"message": message})


def test_the_command_takes_separate_channels(system: System, tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    silent_right = call()
    silent_right[:, 1] = 0
    path.write_bytes(wav(silent_right[: 8 * RATE_HZ]))
    said = system.meetra("analyze", str(path), "--channels", "separate", "--json")
    assert said.returncode == 0, said.stderr
    # A side on which nobody spoke is nobody.
    assert len(json.loads(said.stdout)["speakers"]["speakers"]) == 1
