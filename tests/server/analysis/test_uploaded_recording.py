"""What there is to analyse of an uploaded recording: everything together, or each channel as a participant."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from server.analysis.uploaded_recording import recording_from_upload
from server.audio.media_decoder import DecodedAudio, DecodedTrack
from server.channels import ChannelUse
from server.storage.jobs import Job


def job(channels: ChannelUse) -> Job:
    return Job(uuid4(), uuid4(), "0" * 64, "Call", 3, "", (), channels, 1, 1)


async def test_a_mixed_recording_is_one_track_of_as_many_speakers_as_were_stated(tmp_path: Path) -> None:
    path = tmp_path / "pcm.raw"
    path.write_bytes(bytes(8))
    audio = DecodedAudio((DecodedTrack(path, 4, level_dbfs=-20.0),), 1, False, ("audio track 2 was left out",))
    recording = recording_from_upload(audio, job(ChannelUse.MIXED))
    (track,) = recording.tracks
    assert (track.samples, track.expected_speakers, track.index, track.speaker_number(7)) == (4, 3, 0, 7)
    assert track.display_name == "the whole recording"
    assert track.level_dbfs == -20.0
    assert recording.remark == "audio track 2 was left out"
    assert b"".join([piece async for piece in track.pcm()]) == bytes(8)


@pytest.mark.parametrize("damaged", [False, True])
async def test_each_channel_kept_apart_is_one_participant(tmp_path: Path, damaged: bool) -> None:
    tracks = []
    for place in (0, 2):
        path = tmp_path / f"{place}.raw"
        path.write_bytes(bytes([place, 0]))
        tracks.append(DecodedTrack(path, 1, place, f"channel {place + 1}"))
    recording = recording_from_upload(DecodedAudio(tuple(tracks), 3, damaged), job(ChannelUse.SEPARATE))
    assert recording.track_count == 3
    assert [track.index for track in recording.tracks] == [0, 2]
    assert [track.expected_speakers for track in recording.tracks] == [1, 1]
    assert [track.speaker_number(label) for track in recording.tracks for label in (1, 4)] == [1, 1, 3, 3]
    assert [track.display_name for track in recording.tracks] == ["channel 1", "channel 3"]
    assert [[piece async for piece in track.pcm()] for track in recording.tracks] == [[b"\0\0"], [b"\2\0"]]
    assert recording.remark == ("parts of the recording were damaged and could not be decoded" if damaged else "")
