"""The client in Node against the whole system."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from meetra_client import MeetraClient, Track
from tests.clients.typescript.package import Workbench, finished
from tests.e2e.conftest import System
from tests.recordings import excerpt, sample_pcm, wav

SECONDS = 16


def test_a_recording_is_analysed_read_and_corrected(
    workbench: Workbench, account: dict[str, str], recording: Path
) -> None:
    recording.write_bytes(excerpt(SECONDS, mark="by TypeScript"))
    told = workbench.told("out/recording.js", RECORDING=str(recording), **account)
    assert told["state"]["status"] == "ready"
    assert len(told["Transcription"]) > 0
    assert told["renamed"]["alias"] == "Zoë"
    (listed,) = [meeting for meeting in told["meetings"] if meeting["file_hash"] == told["file_hash"]]
    assert listed["name"] == "Größe & Länge + Rest"
    assert 0 <= told["balance"]["balance_score"] <= 100
    assert told["refused"] == {
        "unknown": ["MEETING_NOT_FOUND", 404, True, False],
        "malformed": ["BAD_REQUEST", 400, True, False],
        "key": ["PERMISSION_DENIED", 403, True, False],
        "password": ["INVALID_CREDENTIALS", 400, True, False],
        "anonymous": ["UNAUTHENTICATED", 401, True, False],
        "unreachable": ["UNREACHABLE", 0, True, True],
    }
    assert told["revoked"][:2] == ["UNAUTHENTICATED", 401]
    assert told["exported"]["name"] == "Größe _ Länge _ Rest.vtt"
    assert told["exported"]["contentType"].startswith("text/vtt")
    assert told["exported"]["text"].startswith("WEBVTT")
    assert told["original"] == ["audio/wav", recording.stat().st_size]
    assert told["unknownFormat"][:2] == ["BAD_REQUEST", 400]
    # A tar archive is made of blocks of 512 bytes.
    assert told["tar"] > 0
    assert told["tar"] % 512 == 0
    assert told["again"] >= 1
    assert told["deleted"][:2] == ["MEETING_NOT_FOUND", 404]


def check_meeting(told: dict[str, Any]) -> None:
    assert told["finished"]["status"] == "ready"
    assert told["last"] == told["finished"]
    assert told["end"] == told["samples"]
    assert told["acknowledged"] == told["half"]
    check_sequence(told["sequence"])
    assert told["turns"] > 0
    assert told["words"]
    assert told["late"] == "MEETING_OVER"


def check_sequence(events: list[tuple[int, int]]) -> None:
    seen = 0
    for event_seq, left_out in events:
        assert event_seq == seen + 1 + left_out
        seen = event_seq


def test_a_live_meeting_is_held(workbench: Workbench, account: dict[str, str], recording: Path) -> None:
    recording.write_bytes(sample_pcm()[: SECONDS * 16_000].astype("<i2").tobytes())
    told = workbench.told("out/live.js", RECORDING=str(recording), **account)
    check_meeting(told)
    assert told["reconnects"] == 0


def test_a_server_that_dies_costs_no_audio_and_no_event(
    workbench: Workbench, system: System, account: dict[str, str], recording: Path
) -> None:
    recording.write_bytes(sample_pcm()[: SECONDS * 16_000].astype("<i2").tobytes())
    process = workbench.start("out/live.js", RECORDING=str(recording), PAUSE="1", **account)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "half\n"
    system.kill("api")
    process.stdin.write("\n")
    process.stdin.flush()
    told = json.loads(finished(process).strip().splitlines()[-1])
    check_meeting(told)
    assert told["reconnects"] >= 1


def test_a_bad_network_loses_no_sample_and_no_event_and_doubles_none(
    workbench: Workbench, system: System, account: dict[str, str], recording: Path
) -> None:
    pcm = sample_pcm()[: SECONDS * 16_000]
    recording.write_bytes(pcm.astype("<i2").tobytes())
    told = workbench.told("out/bad_network.js", RECORDING=str(recording), **account)
    assert told["finished"]["status"] == "ready"
    assert min(told["lost"].values()) > 0
    assert told["reconnects"] >= told["lost"]["up"] + told["lost"]["down"]
    check_sequence(told["seen"])
    check_sequence(told["watched"])
    assert told["end"] == len(pcm)
    # Had a sample been lost or doubled, this would not be what an upload of the same audio gives.
    rest = system.login()
    uploaded = rest.analysed(wav(pcm, mark="a bad network"))
    expected = rest.get("/single-feature-api/meeting/transcription", file_hash=uploaded).json()["Transcription"]
    assert expected
    assert [without_speaker(part) for part in told["Transcription"]] == [without_speaker(part) for part in expected]


def without_speaker(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "speaker"}


@pytest.mark.parametrize("blocked", [{}, {"BLOCKED": "1"}], ids=["WebSocket", "plain calls where none gets through"])
def test_sessions_are_left_and_resumed(workbench: Workbench, account: dict[str, str], blocked: dict[str, str]) -> None:
    told = workbench.told("out/sessions.js", **account, **blocked)
    assert told["unwatched"] == "the meeting was left"
    assert told["resumedAt"] == 1600
    assert "whole number of samples of 8 bytes" in told["part"]
    assert "unknown track b" in told["unknown"]
    assert told["finished"]["status"] == "ready"
    assert told["end"] == 2 * 1600
    assert told["again"] == told["finished"]
    assert told["after"] == []
    assert told["tooLate"] == "MEETING_OVER"
    assert told["aborted"] == "Error: enough"


def test_people_come_go_and_are_renamed(workbench: Workbench, account: dict[str, str], recording: Path) -> None:
    recording.write_bytes(sample_pcm()[: SECONDS * 16_000].astype("<i2").tobytes())
    told = workbench.told("out/tracks.js", RECORDING=str(recording), **account)
    assert told["added"] == {**told["added"], "track_id": "ben", "participant_name": "Ben", "ended": False}
    assert told["again"] == told["added"]
    assert told["different"] == "TRACK_DIFFERS"
    assert told["ended"]["ended"] is True
    assert told["afterEnd"] == "TRACK_ENDED"
    assert told["unknown"] is True
    assert told["changes"] == ["TRACK_CHANGE_ADDED", "TRACK_CHANGE_RENAMED", "TRACK_CHANGE_ENDED"]
    assert told["finished"]["status"] == "ready"
    assert told["reconnects"] == 0
    assert told["late"] == "MEETING_OVER"
    # Ada was there, and said nothing.
    assert told["speakers"] == ["Benedict"]


async def test_who_is_taken_over_stays_away(workbench: Workbench, system: System, account: dict[str, str]) -> None:
    process = workbench.start("out/taken_over.js", **account)
    assert process.stdout is not None
    assert process.stdin is not None
    session_id = (await asyncio.to_thread(process.stdout.readline)).strip()
    async with (
        MeetraClient(system.gateway, email=system.email, password=system.password) as client,
        client.resume(session_id, tracks=[Track("mix")], take_over=True) as meeting,
    ):
        assert meeting.position("mix") == 1600
        process.stdin.write("\n")
        process.stdin.flush()
        told = json.loads((await asyncio.to_thread(finished, process)).strip().splitlines()[-1])
        assert told == {"flushed": "TAKEN_OVER", "sent": "TAKEN_OVER", "resumed": "HELD_BY_ANOTHER_CLIENT"}
        assert (await meeting.finish()).status == "ready"
        # None of what came from the other one after that.
        assert meeting.acknowledged("mix") == 1600
