"""Upload of a recording, piece by piece, with its progress."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from google.api import httpbody_pb2
from meetra.v1 import meetings_pb2

PIECE_BYTES = 256 * 1024
Recording = str | os.PathLike[str] | bytes | BinaryIO
"""A path, the bytes themselves, or a file that is open for reading bytes and can be sought in."""
Progress = Callable[[int, int], object]
"""Called with the bytes handed to the network so far, and their total."""


def recording_name(recording: Recording) -> str:
    """Return the file's name; empty where the recording has none."""
    path = recording if isinstance(recording, str | os.PathLike) else getattr(recording, "name", "")
    return Path(path).name if isinstance(path, str | os.PathLike) else ""


@contextmanager
def opened(recording: Recording) -> Iterator[BinaryIO]:
    """Open a recording, and close it unless it is the caller's file. Raises OSError."""
    if isinstance(recording, bytes):
        yield io.BytesIO(recording)
    elif isinstance(recording, str | os.PathLike):
        with Path(recording).open("rb") as file:
            yield file
    else:
        yield recording


class Upload:
    """One recording to upload; ``requests`` starts from its beginning each time.

    Args:
        file: the recording, from where it stands.
        details: the fields of the first message but the recording.
        progress: see ``Progress``.
    """

    def __init__(self, file: BinaryIO, details: meetings_pb2.UploadMeetingRequest, progress: Progress | None) -> None:
        self._file, self._details, self._progress = file, details, progress
        self._begin = file.tell()
        self.size_bytes = file.seek(0, os.SEEK_END) - self._begin

    async def requests(self) -> AsyncIterator[meetings_pb2.UploadMeetingRequest]:
        """Yield the messages of the call."""
        self._file.seek(self._begin)
        yield self._details
        sent_bytes = 0
        self._tell(sent_bytes)
        while data := await asyncio.to_thread(self._file.read, PIECE_BYTES):
            yield meetings_pb2.UploadMeetingRequest(body=httpbody_pb2.HttpBody(data=data))
            sent_bytes += len(data)
            self._tell(sent_bytes)

    def _tell(self, sent_bytes: int) -> None:
        if self._progress is not None:
            self._progress(sent_bytes, self.size_bytes)
