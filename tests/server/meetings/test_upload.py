"""Whatever ends an upload before its answer, neither a file nor a meeting is left of it; otherwise both are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from server.audio.audio_log import AudioLog
from server.auth import Caller
from server.disk import DiskFull, DiskReserve
from server.errors import (
    BadRequest,
    FileTooLarge,
    MeetraError,
    RecordingTooLong,
    Unauthenticated,
    UnsupportedContentEncoding,
)
from server.fair_slots import FairSlots
from server.meetings.upload import UploadChunk, UploadLimits, Uploads
from server.meetings.upload_allowance import UploadAllowances
from server.quotas import UNLIMITED, Quotas
from server.storage.pool import Database, ReferenceDeleted
from tests.recordings import excerpt
from tests.server.callers import caller as fresh_caller
from tests.server.storage.rows import make_user
from tests.small_disk import small_disk

LARGEST, MAX_S = 200_000, 3.0
FORM = "multipart/form-data; boundary=b"
UNKNOWN_PART = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n%s\r\n'


@pytest.fixture
async def caller(owner: Database) -> Caller:
    return fresh_caller(await make_user(owner))


@pytest.fixture
def uploads(database: Database, tmp_path: Path) -> Uploads:
    return make_uploads(database, tmp_path)


def make_uploads(
    database: Database, folder: Path, *, reserve_bytes: int = 0, probes: int = 4, max_s: float = MAX_S, **quotas: int
) -> Uploads:
    """What receives uploads into ``folder``, with these quotas and no others."""
    allowed = dict.fromkeys(Quotas.__dataclass_fields__, UNLIMITED) | quotas
    allowances = UploadAllowances(database, Quotas(**allowed), DiskReserve(folder, reserve_bytes))
    return Uploads(AudioLog(folder), database, UploadLimits(LARGEST, max_s), allowances, FairSlots(probes))


async def sent(kind: str, pieces: Sequence[bytes], **fields: str) -> AsyncIterator[UploadChunk]:
    for piece in pieces:
        yield UploadChunk(piece, kind, fields)


async def left(owner: Database, folder: Path) -> tuple[int, int, int]:
    """How many files, meetings and jobs there are."""
    rows = [
        await owner.run(lambda c, table=table: c.fetchval(f"SELECT count(*) FROM {table}"))  # type: ignore[misc]
        for table in ("meetings", "jobs")
    ]
    return len([path for path in folder.rglob("*") if path.is_file()]), *rows


FAILING: dict[str, tuple[str, list[bytes], dict[str, str], type[MeetraError]]] = {
    "nothing comes": ("audio/wav", [], {}, BadRequest),
    "no media type": ("", [b"x"], {}, BadRequest),
    "another media type": ("text/plain", [b"x"], {}, BadRequest),
    "empty": ("audio/wav", [b""], {}, BadRequest),
    "too large": ("audio/wav", [b"x" * 150_000, b"x" * 150_000], {}, FileTooLarge),
    "too long": ("audio/wav", [excerpt(5)], {}, RecordingTooLong),
    "a wrong field": ("audio/wav", [excerpt(1)], {"n_speakers": "00019999"}, BadRequest),
    "a name that nobody sees": ("audio/wav", [excerpt(1)], {"name": "\u200b"}, BadRequest),
    "a form cut short": (FORM, [FILE % excerpt(1)], {}, BadRequest),
    "a form of two files": (FORM, [FILE % b"a", FILE % b"b"], {}, BadRequest),
    "a form with an unknown part": (FORM, [FILE % b"a", UNKNOWN_PART], {}, BadRequest),
    "no form": (FORM, [b"x" * 200, b"--b??"], {}, BadRequest),
}


async def test_an_upload_that_is_refused_leaves_nothing(
    uploads: Uploads, owner: Database, tmp_path: Path, caller: Caller
) -> None:
    for kind, (media_type, pieces, fields, error) in FAILING.items():
        with pytest.raises(error):
            await uploads.receive(caller, sent(media_type, pieces, **fields))
        assert await left(owner, tmp_path) == (0, 0, 0), kind
    for encoding in ("gzip", "br"):
        with pytest.raises((BadRequest, UnsupportedContentEncoding)):
            await uploads.receive(caller, sent("audio/wav", [b"\x1f\x8b" + excerpt(1)]), encoding)
        assert await left(owner, tmp_path) == (0, 0, 0), encoding


async def test_a_client_that_goes_away_leaves_nothing(
    uploads: Uploads, owner: Database, tmp_path: Path, caller: Caller
) -> None:
    begun = asyncio.Event()

    async def stalled() -> AsyncIterator[UploadChunk]:
        yield UploadChunk(excerpt(1), "audio/wav", {})
        begun.set()
        await asyncio.Event().wait()

    receiving = asyncio.create_task(uploads.receive(caller, stalled()))
    await begun.wait()
    assert (await left(owner, tmp_path))[0] == 1
    receiving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert await left(owner, tmp_path) == (0, 0, 0)


async def test_a_client_that_goes_away_at_any_moment_leaves_a_whole_meeting_or_none(
    uploads: Uploads, owner: Database, tmp_path: Path, caller: Caller
) -> None:
    for turns in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89):
        recording = excerpt(1, mark=str(turns))
        receiving = asyncio.create_task(uploads.receive(caller, sent("audio/wav", [recording])))
        for _ in range(turns):
            await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        files, meetings, jobs = await left(owner, tmp_path)
        assert files == meetings == jobs


WHILE_IT_RUNS = {
    "the user is deleted": "DELETE FROM users",
    "the organization is deleted": "DELETE FROM organizations",
    "the token is revoked": "UPDATE users SET token_generation = token_generation + 1",
    "the user is disabled": "UPDATE users SET disabled = true",
}


@pytest.mark.parametrize("what", WHILE_IT_RUNS)
async def test_a_caller_who_is_let_in_no_more_when_the_recording_has_come_is_unauthorized_and_leaves_nothing(
    uploads: Uploads, owner: Database, tmp_path: Path, caller: Caller, what: str
) -> None:
    async def pieces() -> AsyncIterator[UploadChunk]:
        recording = excerpt(1)
        yield UploadChunk(recording[:9000], "audio/wav", {})
        await owner.run(lambda c: c.execute(WHILE_IT_RUNS[what]))
        yield UploadChunk(recording[9000:], "audio/wav", {})

    with pytest.raises(Unauthenticated):
        await uploads.receive(caller, pieces())
    assert await left(owner, tmp_path) == (0, 0, 0)


async def test_a_user_who_is_deleted_while_the_meeting_is_filed_leaves_nothing(
    uploads: Uploads, owner: Database, tmp_path: Path, caller: Caller
) -> None:
    # Between the last look at the user and the row that names them.
    await owner.run(
        lambda c: c.execute(
            "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
            " $$ BEGIN DELETE FROM users WHERE id = NEW.user_id; RETURN NEW; END $$;"
            " CREATE TRIGGER gone BEFORE INSERT ON meetings FOR EACH ROW EXECUTE FUNCTION gone()"
        )
    )
    with pytest.raises(ReferenceDeleted) as raised:
        await uploads.receive(caller, sent("audio/wav", [excerpt(1)]))
    assert raised.value.entity == "user"
    assert await left(owner, tmp_path) == (0, 0, 0)


@pytest.mark.parametrize("kilobytes", [16, 68])
async def test_a_full_disk_is_said_to_be_one_and_nothing_is_left(
    owner: Database, database: Database, tmp_path: Path, caller: Caller, kilobytes: int
) -> None:
    with small_disk(tmp_path / "small", kilobytes) as folder:
        uploads = make_uploads(database, folder)
        pieces = [excerpt(2.5)[at : at + 9000] for at in range(0, 81_000, 9000)]
        with pytest.raises(DiskFull):
            await uploads.receive(caller, sent("audio/wav", pieces))
        assert await left(owner, folder) == (0, 0, 0)
        assert (await uploads.receive(caller, sent("audio/wav", [excerpt(0.1)]))).status == "queued"


async def test_an_upload_that_is_refused_leaves_an_earlier_one_alone(
    uploads: Uploads, owner: Database, tmp_path: Path, caller: Caller
) -> None:
    await uploads.receive(caller, sent("audio/wav", [excerpt(1)], name="First"))
    before = await left(owner, tmp_path)
    with pytest.raises(BadRequest):
        await uploads.receive(caller, sent("audio/wav", [excerpt(1)], date="never"))
    assert before == await left(owner, tmp_path) == (1, 1, 1)
