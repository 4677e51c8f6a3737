"""A kept file, answered in byte ranges; those that it does not have are refused as every REST error looks."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from server.api.http_call import error_response
from server.audio import KeptFile
from server.errors import AudioUnavailable, BadRequest

CONTENT_RANGE = b"content-range"
GONE = "it was deleted or made anew at this moment; ask again"


class RangedFile(FileResponse):
    """Answers with a file, or the ranges of it that the request names."""

    def __init__(self, file: KeptFile, **how: Any) -> None:
        """
        Args:
            how: as for a FileResponse.
        """
        super().__init__("", **how)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: 400 for a malformed ``Range``, 416 for one beyond the file.

        Raises AudioUnavailable, StoreUnavailable.
        """
        facts = await self._file.find()
        if facts is None:
            raise AudioUnavailable(GONE)
        seconds = facts.modified_at
        # Mode, size and the time of the last change are what a FileResponse looks at.
        self.stat_result = os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, facts.size_bytes, seconds, seconds, seconds))
        self.set_stat_headers(self.stat_result)
        refusal: Response | None = None

        async def pass_on(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] >= 400:
                # Starlette's own is text.
                refusal = _refusal(message)
            if refusal is None:
                await send(message)

        await super().__call__(scope, receive, pass_on)
        if refusal is not None:
            await refusal(scope, receive, send)

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[Any]:
        async with self._file.open() as reader:
            yield reader


def _refusal(message: Message) -> Response:
    error = BadRequest("range", "must be byte ranges that the file has, such as bytes=0-999")
    size = {name.decode(): value.decode() for name, value in message["headers"] if name == CONTENT_RANGE}
    return error_response(message["status"], error.message, {**dict(error.metadata()), **size})
