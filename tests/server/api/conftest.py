"""The API's server with small limits, over real gRPC, and a user of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.api import httpbody_pb2
from grpc import aio
from meetra.v1 import meetings_pb2, meetings_pb2_grpc
from pydantic import SecretStr

from cli.free_port import free_port
from server.__main__ import manage_webhooks, meeting_analyzer, receive_uploads
from server.analysis import analyse_sentence
from server.api import ApiDependencies, build_server, serve
from server.audio.audio_log import AudioLog
from server.audit import AuditTrail
from server.auth import Authenticator, Passwords, TokenKeys, Tokens, UserWatch
from server.config import ServerSettings
from server.live import partial_answers, session_registry
from server.live.dependencies import LiveDependencies
from server.live.session_registry import LiveSessionRegistry
from server.meetings import Corrections, Deletion
from server.meetings.job_runner import JobRunner
from server.search import Search
from server.storage.pool import Database
from tests.server.signing import KEYS, tokens
from tests.server.storage.rows import make_user


@dataclass
class Api:
    """A running server."""

    channel: aio.Channel
    metadata: tuple[tuple[str, str], ...]
    """Of a user's calls."""
    port: int
    owner: Database
    socket_port: int = 0
    http_port: int = 0

    async def token(self, organization: str, email: str) -> str:
        """A token of a user, who is made if need be."""
        user = await make_user(self.owner, organization, email)
        return tokens().issue(user.id, user.token_generation)

    async def upload(self, recording: bytes) -> meetings_pb2.UploadMeetingResponse:
        body = httpbody_pb2.HttpBody(content_type="audio/wav", data=recording)
        requests = iter([meetings_pb2.UploadMeetingRequest(body=body)])
        return await meetings_pb2_grpc.MeetingServiceStub(self.channel).UploadMeeting(requests, metadata=self.metadata)


@contextmanager
def no_wait_for_an_engine() -> Iterator[None]:
    """Live meetings open at once where there is no engine, as they do in the end."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (partial_answers, session_registry):
            patched.setattr(module, "ENGINE_WAIT_S", 0.0)
        yield


@asynccontextmanager
async def serving(
    database: Database,
    folder: Path,
    *,
    passwords: Passwords | None = None,
    user_watch: UserWatch | None = None,
    token_keys: TokenKeys = KEYS,
    socket_port: int | None = None,
    http_port: int | None = None,
    **limits: Any,
) -> AsyncIterator[tuple[aio.Channel, int]]:
    """The API over gRPC: a channel to it, and its port; WebSockets at ``socket_port``, plain HTTP at ``http_port``.

    It takes recordings of at most 200 kB and 3 s.
    """
    tokens = Tokens(token_keys, 3600)
    audio_log = AudioLog(folder)
    settings = ServerSettings(
        **{
            "database_url": SecretStr("unused"),
            "audio_dir": folder,
            "max_upload_bytes": 200_000,
            "max_duration_s": 3,
            "disk_reserve_bytes": 0,
            **limits,
        }
    )
    runner, user_watch = JobRunner(settings, database), user_watch or UserWatch(database)
    engine_wait = nullcontext() if "inference_address" in limits else no_wait_for_an_engine()
    async with meeting_analyzer(settings, database, audio_log) as analyzer:
        parts = LiveDependencies(settings, database, audio_log, analyzer, runner, ThreadPoolExecutor(1))
        live = LiveSessionRegistry(parts)
        trail = AuditTrail(database, settings.audit_rows_per_day)
        deletion = Deletion(audio_log, database, live.discard)
        server = build_server(
            ApiDependencies(
                settings=settings,
                database=database,
                tokens=tokens,
                authenticator=Authenticator(tokens, database),
                trail=trail,
                audio_log=audio_log,
                user_watch=user_watch,
                passwords=passwords or Passwords(),
                uploads=receive_uploads(settings, database, audio_log),
                deletion=deletion,
                inference=analyzer.inference,
                corrections=Corrections(database, analyse=partial(analyse_sentence, inference=analyzer.inference)),
                live=live,
                search=Search(database, analyzer.inference),
                webhooks=manage_webhooks(settings, database),
            )
        )
        stop, port = asyncio.Event(), free_port()
        address = f"127.0.0.1:{port}"
        sockets = None if socket_port is None else f"127.0.0.1:{socket_port}"
        http = None if http_port is None else f"127.0.0.1:{http_port}"
        running = asyncio.create_task(
            serve(server, address, stop, live, user_watch, trail, deletion, socket_listen=sockets, http_listen=http)
        )
        async with aio.insecure_channel(address) as channel:
            ready = asyncio.ensure_future(channel.channel_ready())
            await asyncio.wait([ready, running], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                ready.cancel()
                await running
            with engine_wait:
                yield channel, port
        stop.set()
        await running


@asynccontextmanager
async def running_api(owner: Database, database: Database, folder: Path, **limits: Any) -> AsyncIterator[Api]:
    """The server with these settings, its audio in ``folder``, and a user."""
    socket_port, http_port = free_port(), free_port()
    async with serving(database, folder, socket_port=socket_port, http_port=http_port, **limits) as (channel, port):
        api = Api(channel, (), port, owner, socket_port, http_port)
        api.metadata = (("authorization", f"Bearer {await api.token('Org', 'a@example.org')}"),)
        yield api


@pytest.fixture
async def api(owner: Database, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    """The server with its audio in ``tmp_path``."""
    async with running_api(owner, database, tmp_path) as running:
        yield running
