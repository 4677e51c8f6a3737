"""Audio of Attendee's bots into live meetings: a meeting for each bot, a track for each participant with their name.

    pip install ./clients/python starlette uvicorn websockets
    export ADAPTER_TOKEN=$(openssl rand -hex 16)
    export ATTENDEE_WEBHOOK_SECRET=...   # Attendee: Settings, Webhooks
    python attendee.py 8765

Bots are sent with `per_participant_audio` to `wss://HOST/audio/ADAPTER_TOKEN`, and with the webhooks
`participant_events.join_leave` and `bot.state_change` to `https://HOST/webhook`. docs/adapters.md has the rest.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from meetra_client import Kind, LiveMeeting, MeetraClient, MeetraError, Track

# Attendee connects again 30 times, every 2 s.
LINGER_S = 90.0
MAX_BOTS, MAX_BODY_BYTES, MAX_MESSAGE_BYTES = 100, 256 * 1024, 1024 * 1024
OVER = ("ended", "fatal_error", "data_deleted")


class Bot:
    """A bot's meeting, from its first audio on."""

    def __init__(self, bot_id: str, client: MeetraClient) -> None:
        self.bot_id, self.connections = bot_id, 0
        self._client, self._over = client, asyncio.Event()
        self._names: dict[str, str] = {}
        self._tracks: dict[str, str] = {}
        self._sequences: dict[str, int] = {}
        self._first_ms = 0
        self._meeting: asyncio.Future[LiveMeeting] | None = None
        self._lock = asyncio.Lock()

    async def hear(self, data: dict[str, Any]) -> None:
        """Send the audio of a message. What was sent before, on a connection that broke off, is left out."""
        uuid, captured_ms = str(data["participant_uuid"]), int(data["timestamp_ms"])
        if (sequence := int(data.get("sequence", 0))) and sequence <= self._sequences.get(uuid, 0):
            return
        self._sequences[uuid] = sequence
        audio = base64.b64decode(data["chunk"], validate=True)
        # One at a time: the first message opens the meeting, and a participant's first one the track.
        async with self._lock:
            meeting = await self._meeting_with(uuid, int(data["sample_rate"]), captured_ms)
        at_ms = max(0, captured_ms - self._first_ms)
        await meeting.send(self._tracks[uuid], audio[: len(audio) // 2 * 2], captured_ms=at_ms)

    async def _meeting_with(self, uuid: str, rate_hz: int, captured_ms: int) -> LiveMeeting:
        if uuid in self._tracks and self._meeting is not None:
            return await self._meeting
        track_id = f"participant-{len(self._tracks) + 1}"
        name, start_ms = self._names.get(uuid, ""), max(0, captured_ms - self._first_ms)
        track = Track(track_id, Kind.PARTICIPANT, name, sample_rate_hz=rate_hz, start_ms=start_ms)
        if self._meeting is None:
            self._first_ms = captured_ms
            self._meeting = asyncio.get_running_loop().create_future()
            first = Track(track_id, Kind.PARTICIPANT, name, sample_rate_hz=rate_hz)
            self._running = asyncio.create_task(self._run(first, self._meeting))
            meeting = await self._meeting
        else:
            meeting = await self._meeting
            await meeting.add_track(track)
        self._tracks[uuid] = track_id
        print(f"{self.bot_id}: {name or uuid} is {track_id}", flush=True)
        return meeting

    async def _run(self, track: Track, opened: asyncio.Future[LiveMeeting]) -> None:
        try:
            async with self._client.live(name=f"Attendee {self.bot_id}", tracks=[track]) as meeting:
                opened.set_result(meeting)
                await self._over.wait()
                finished = await meeting.finish()
            print(f"{self.bot_id}: {finished.status} {finished.file_hash}", flush=True)
        except MeetraError as error:
            print(f"{self.bot_id}: {error}", file=sys.stderr, flush=True)
            if not opened.done():
                # When the bot connects again, another meeting is tried.
                self._meeting = None
                opened.set_exception(error)

    async def tell(self, trigger: str, data: dict[str, Any]) -> None:
        """Take a webhook's event: names of who joins, ends of tracks, and the end of the meeting."""
        uuid, event = str(data.get("participant_uuid", "")), data.get("event_type")
        if trigger == "participant_events.join_leave" and event == "join":
            self._names[uuid] = str(data.get("participant_name") or "")[:200]
            if uuid in self._tracks and self._names[uuid] and self._meeting is not None:
                await (await self._meeting).rename_track(self._tracks[uuid], self._names[uuid])
        elif trigger == "bot.state_change" and data.get("new_state") in OVER:
            await self.end()

    @property
    def is_over(self) -> bool:
        """Whether the meeting is finished, or will never begin."""
        return self._over.is_set() and (self._meeting is None or self._running.done())

    async def end(self) -> None:
        """Finish the meeting after all audio so far."""
        self._over.set()
        if self._meeting is not None:
            await self._running

    async def end_if_alone(self) -> None:
        """Finish the meeting if the bot does not connect again."""
        await asyncio.sleep(LINGER_S)
        if not self.connections:
            await self.end()


class Adapter:
    """Takes what Attendee sends."""

    def __init__(self, token: str, webhook_secret: str) -> None:
        self._token, self._secret = token, base64.b64decode(webhook_secret)
        self._bots: dict[str, Bot] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        async with MeetraClient() as self._client:
            yield
            await asyncio.gather(*(bot.end() for bot in self._bots.values()), return_exceptions=True)

    def _bot(self, bot_id: str) -> Bot | None:
        if bot_id not in self._bots and len(self._bots) >= MAX_BOTS:
            self._bots = {other: bot for other, bot in self._bots.items() if not bot.is_over}
        if bot_id not in self._bots and len(self._bots) < MAX_BOTS:
            self._bots[bot_id] = Bot(bot_id, self._client)
        return self._bots.get(bot_id)

    async def audio(self, socket: WebSocket) -> None:
        """Take the audio of one connection."""
        if not hmac.compare_digest(socket.path_params["token"].encode(), self._token.encode()):
            await socket.close(1008)
            return
        await socket.accept()
        bot = None
        try:
            while True:
                message = json.loads(await socket.receive_text())
                if message["trigger"] != "realtime_audio.per_participant":
                    continue
                if bot is None:
                    if (bot := self._bot(str(message["bot_id"]))) is None:
                        raise ValueError(f"more than {MAX_BOTS} bots")
                    bot.connections += 1
                await bot.hear(message["data"])
        except WebSocketDisconnect:
            pass
        except (KeyError, TypeError, ValueError, binascii.Error, MeetraError) as error:
            print(f"a connection is closed: {error!r}", file=sys.stderr, flush=True)
            await socket.close(1011)
        finally:
            if bot is not None:
                bot.connections -= 1
                self._begin(bot.end_if_alone())

    async def webhook(self, request: Request) -> Response:
        """Take an event that Attendee signed."""
        body = b""
        async for piece in request.stream():
            if len(body := body + piece) > MAX_BODY_BYTES:
                return Response(status_code=413)
        try:
            event = json.loads(body)
            # Attendee signs its JSON in a canonical form.
            canonical = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
            signature = base64.b64encode(hmac.digest(self._secret, canonical, hashlib.sha256))
            if not hmac.compare_digest(request.headers.get("x-webhook-signature", "").encode(), signature):
                return Response(status_code=401)
            if (bot := self._bot(str(event["bot_id"]))) is not None:
                # It waits no longer than 10 s for an answer.
                self._begin(bot.tell(str(event["trigger"]), event["data"]))
        except (KeyError, TypeError, ValueError):
            return Response(status_code=400)
        return Response(status_code=204)

    def _begin(self, what: Any) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


if __name__ == "__main__":
    adapter = Adapter(os.environ["ADAPTER_TOKEN"], os.environ["ATTENDEE_WEBHOOK_SECRET"])
    routes = [
        WebSocketRoute("/audio/{token}", adapter.audio),
        Route("/webhook", adapter.webhook, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=adapter.running)
    uvicorn.run(app, port=int(sys.argv[1]), ws_max_size=MAX_MESSAGE_BYTES, access_log=False)
