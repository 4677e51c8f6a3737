"""A receiver of webhooks over real HTTP: verifies what comes with the Standard Webhooks library, and may misbehave."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

# A machine may be busy with something else.
PATIENCE_S = 240.0


@dataclass
class Receiver:
    """The receiver; how it answers may be changed while it runs."""

    port: int = 0
    secret: str = ""
    """Verifies what comes; empty: nothing is verified."""
    status: str = "200 OK"
    headers: tuple[str, ...] = ()
    delay_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    """Paths, in the order of the requests."""
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    """Headers and body of each request."""
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By ``webhook-id``, the verified body of what was answered with 2xx."""
    times: Counter[str] = field(default_factory=Counter)
    """How often each ``webhook-id`` came."""
    answer_to: Callable[[dict[str, Any]], str] | None = None
    """The status that follows from a body, in the place of ``status``."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    async def until(self, fulfilled: Callable[[], bool]) -> None:
        """Waits until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not fulfilled():
                await asyncio.sleep(0.02)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
            body = (await reader.readexactly(int(headers["content-length"]))).decode()
            self.asked.append(lines[0].split()[1])
            self.got.append((headers, body))
            verified = Webhook(self.secret).verify(body, headers) if self.secret else {}
            self.times[headers["webhook-id"]] += 1
            status = self.answer_to(verified) if self.answer_to else self.status
            await asyncio.sleep(self.delay_s)
            if status.startswith("2"):
                self.accepted[headers["webhook-id"]] = verified
            answer = [f"HTTP/1.1 {status}", "content-length: 0", "connection: close", *self.headers, "", ""]
            writer.write("\r\n".join(answer).encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Listens, on the same port each time."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()


@asynccontextmanager
async def receiving(**how: Any) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver(**how)
    async with receiver.up():
        yield receiver
