"""A file of sound, answered in byte ranges; those that it does not have are refused as every REST error looks."""

from __future__ import annotations

import asyncio
import os

from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from server.api.http_call import error_response
from server.errors import AudioUnavailable, BadRequest

CONTENT_RANGE = b"content-range"
GONE = "it was deleted or made anew at this moment; ask again"


class RangedFile(FileResponse):
    """Answers with a file, or the ranges of it that the request names."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: 400 for a malformed ``Range``, 416 for one beyond the file. Raises AudioUnavailable."""
        try:
            self.stat_result = await asyncio.to_thread(os.stat, self.path)
        except FileNotFoundError:
            raise AudioUnavailable(GONE) from None
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


def _refusal(message: Message) -> Response:
    error = BadRequest("range", "must be byte ranges that the file has, such as bytes=0-999")
    size = {name.decode(): value.decode() for name, value in message["headers"] if name == CONTENT_RANGE}
    return error_response(message["status"], error.message, {**dict(error.metadata()), **size})
