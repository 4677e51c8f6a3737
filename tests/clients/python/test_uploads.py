"""A recording in pieces: named after its file, and the same each time it is begun."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from meetra.v1 import meetings_pb2

from meetra_client.uploads import Recording, Upload, opened, recording_name


@pytest.mark.parametrize(
    ("recording", "name"),
    [
        pytest.param("folder/a.wav", "a.wav", id="text"),
        pytest.param(Path("folder/a.wav"), "a.wav", id="path"),
        pytest.param(b"bytes", "", id="bytes"),
        pytest.param(io.BytesIO(b"bytes"), "", id="memory"),
    ],
)
def test_a_recording_has_the_name_of_its_file(recording: Recording, name: str) -> None:
    assert recording_name(recording) == name


def test_so_has_an_open_file(tmp_path: Path) -> None:
    with (tmp_path / "a.wav").open("wb+") as file:
        assert recording_name(file) == "a.wav"


async def test_each_beginning_sends_the_whole() -> None:
    with opened(b"a recording") as file:
        upload = Upload(file, meetings_pb2.UploadMeetingRequest(name="n"), None)
        for _ in range(2):
            first, second = [request async for request in upload.requests()]
            assert (first.name, second.body.data, upload.size_bytes) == ("n", b"a recording", 11)
