"""What one organization cannot do to the others with uploads, over real gRPC; and refusals that read no body."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import meetings_pb2, meetings_pb2_grpc

from meetra_client import BadRequest, FileTooLarge, MeetraError, QuotaExceeded, StorageFull, error_from
from server.storage.pool import Database
from tests.recordings import excerpt
from tests.server.api.conftest import Api, running_api

MIB = 1024**2
PATIENCE_S = 60


def request(data: bytes) -> meetings_pb2.UploadMeetingRequest:
    return meetings_pb2.UploadMeetingRequest(body=httpbody_pb2.HttpBody(content_type="audio/wav", data=data))


class Sender:
    """An upload that sends its body when it is told to."""

    def __init__(self, api: Api, token: str, data: bytes, declared_bytes: int | None = None) -> None:
        self.go = asyncio.Event()
        metadata = [("authorization", f"Bearer {token}")]
        if declared_bytes is not None:
            metadata.append(("x-content-length", str(declared_bytes)))
        stub = meetings_pb2_grpc.MeetingServiceStub(api.channel)
        self.call = stub.UploadMeeting(self._requests(data), metadata=tuple(metadata))

    async def _requests(self, data: bytes) -> AsyncIterator[meetings_pb2.UploadMeetingRequest]:
        yield request(data[:1000])
        await self.go.wait()
        yield request(data[1000:])

    async def refusal(self) -> tuple[MeetraError, dict[str, str | bytes]]:
        """The error of the call, which comes although nothing more is sent."""
        with pytest.raises(aio.AioRpcError) as raised:
            async with asyncio.timeout(PATIENCE_S):
                await self.call
        assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        return error_from(raised.value), dict(raised.value.trailing_metadata() or ())


def hertz(rate_hz: int, samples: int = 13_000) -> bytes:
    """A WAV of 8 bits with this sample rate: 13 kB at 1 Hz are more than three hours and a half."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, rate_hz, 1, 8)
    header = b"RIFF" + struct.pack("<I", 36 + samples) + b"WAVEfmt " + form + b"data" + struct.pack("<I", samples)
    return header + os.urandom(samples)


@pytest.mark.parametrize("rate_hz", [1, 3999, 768_001])
async def test_a_recording_at_an_absurd_rate_is_refused_before_anything_is_made_of_it(
    owner: Database, database: Database, tmp_path: Path, rate_hz: int
) -> None:
    async with running_api(owner, database, tmp_path, max_duration_s=4 * 3600) as api:
        with pytest.raises(aio.AioRpcError) as raised:
            await api.upload(hertz(rate_hz))
    error = error_from(raised.value)
    assert isinstance(error, BadRequest)
    assert str(error).startswith(
        f"Bad request: file: the audio has a sample rate of {rate_hz} Hz; rates from 4000 to 768000 Hz are supported"
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_day_s_bytes_are_all_that_an_organization_uploads(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    recording = excerpt(2)
    async with running_api(owner, database, tmp_path, quota_upload_bytes_per_day=2 * len(recording)) as api:
        token, other = await api.token("Org", "a@example.org"), await api.token("Other", "b@example.org")
        await api.upload(recording)
        # An upload that fails has used what it sent.
        wrong = request(recording[: len(recording) // 2])
        wrong.n_speakers = 1000
        with pytest.raises(aio.AioRpcError):
            await meetings_pb2_grpc.MeetingServiceStub(api.channel).UploadMeeting(iter([wrong]), metadata=api.metadata)
        error, trailers = await Sender(api, token, excerpt(1.9), declared_bytes=MIB + len(recording)).refusal()
        assert isinstance(error, QuotaExceeded)
        assert (error.facts["quota"], error.facts["limit"]) == ("upload_bytes_per_day", str(2 * len(recording)))
        assert 1 <= int(str(trailers["retry-after"])) <= 86_400
        assert trailers["x-http-code"] == "429"
        sender = Sender(api, other, recording)
        sender.go.set()
        assert (await sender.call).status == "queued"


async def test_what_an_organization_stores_is_bounded_until_it_deletes_some(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    recording = excerpt(2)
    async with running_api(owner, database, tmp_path, quota_stored_bytes=len(recording) + 100) as api:
        stored = await api.upload(recording)
        with pytest.raises(aio.AioRpcError) as raised:
            await api.upload(excerpt(1))
        error = error_from(raised.value)
        assert isinstance(error, QuotaExceeded)
        assert error.facts["quota"] == "stored_bytes"
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
        await meetings_pb2_grpc.MeetingServiceStub(api.channel).DeleteMeeting(
            meetings_pb2.DeleteMeetingRequest(file_hash=stored.file_hash), metadata=api.metadata
        )
        assert (await api.upload(excerpt(1))).status == "queued"


async def test_minutes_of_a_day_are_refused_by_the_length_that_is_stated(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with running_api(
        owner, database, tmp_path, quota_minutes_per_day=1, max_duration_s=300, max_upload_bytes=4 * MIB
    ) as api:
        half = hertz(4000, 40 * 4000)
        assert (await api.upload(half)).status == "queued"
        with pytest.raises(aio.AioRpcError) as raised:
            await api.upload(hertz(4000, 30 * 4000))
        error = error_from(raised.value)
        assert isinstance(error, QuotaExceeded)
        assert (error.facts["quota"], error.facts["limit"], error.facts["used"]) == ("minutes_per_day", "1", "0")
        # What fits still does, and what is known counts once.
        assert (await api.upload(half)).status == "queued"
        assert (await api.upload(hertz(4000, 10 * 4000))).status == "queued"


async def test_uploads_at_once_are_bounded_by_organization(owner: Database, database: Database, tmp_path: Path) -> None:
    async with running_api(owner, database, tmp_path, quota_uploads_at_once=2) as api:
        token, other = await api.token("Org", "a@example.org"), await api.token("Other", "b@example.org")
        running = [Sender(api, token, excerpt(1, mark=str(number))) for number in range(2)]
        async with asyncio.timeout(PATIENCE_S):
            while len(list((tmp_path / "incoming").glob("*"))) < 2:
                await asyncio.sleep(0.05)
        error, trailers = await Sender(api, token, excerpt(1, mark="c")).refusal()
        assert isinstance(error, QuotaExceeded)
        assert error.facts["quota"] == "uploads_at_once"
        assert trailers["retry-after"] == error.facts["retry_after_s"] == "10"
        for sender in (*running, Sender(api, other, excerpt(1))):
            sender.go.set()
            assert (await sender.call).status == "queued"
        sender = Sender(api, token, excerpt(1, mark="c"))
        sender.go.set()
        assert (await sender.call).status == "queued"


async def test_what_is_too_large_or_has_no_room_is_refused_before_its_body(
    owner: Database, database: Database, tmp_path: Path
) -> None:
    async with running_api(owner, database, tmp_path) as api:
        token = await api.token("Org", "a@example.org")
        error, _ = await Sender(api, token, excerpt(1), declared_bytes=200_001 + MIB).refusal()
        assert isinstance(error, FileTooLarge)
        # What it says is no reason for anything else.
        for told in (-1, 0, 10**30):
            sender = Sender(api, token, excerpt(1, mark=str(told)), declared_bytes=told)
            sender.go.set()
            assert (await sender.call).status == "queued"
    async with running_api(owner, database, tmp_path, disk_reserve_bytes=2**60) as api:
        error, trailers = await Sender(api, await api.token("Org", "a@example.org"), excerpt(1, mark="d")).refusal()
        assert isinstance(error, StorageFull)
        assert (trailers["x-http-code"], trailers["retry-after"]) == ("507", "60")


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
async def test_many_uploads_at_once_start_few_probes(owner: Database, database: Database, tmp_path: Path) -> None:
    async with running_api(owner, database, tmp_path, decoders_at_once=2) as api:
        uploads = [asyncio.create_task(api.upload(excerpt(1, mark=str(number)))) for number in range(12)]
        most = 0
        while not all(upload.done() for upload in uploads):
            most = max(most, running_probes())
            await asyncio.sleep(0.02)
        assert {(await upload).status for upload in uploads} == {"queued"}
    assert most <= 2


def running_probes() -> int:
    """The probes that this process has started and that still run."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            command = process.joinpath("cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found += parent == str(os.getpid()) and b"--probe" in command
    return found
