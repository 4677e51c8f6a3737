"""The API's gRPC server: services, health, reflection, and a graceful stop."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from grpc import aio
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection
from meetra.v1 import (
    audit_pb2_grpc,
    auth_pb2_grpc,
    comparison_pb2_grpc,
    corrections_pb2_grpc,
    export_pb2_grpc,
    insights_pb2_grpc,
    keys_pb2_grpc,
    live_pb2_grpc,
    meetings_pb2_grpc,
    metrics_pb2_grpc,
    organization_pb2_grpc,
    playback_pb2_grpc,
    search_pb2_grpc,
    speakers_pb2_grpc,
    users_pb2_grpc,
    voices_pb2_grpc,
    webhooks_pb2_grpc,
)

from health import HealthStates, follow
from server.api.access import OpenStreams
from server.api.answers import Answers
from server.api.audit import AuditServicer
from server.api.auth import AuthServicer
from server.api.comparison import ComparisonServicer
from server.api.corrections import CorrectionServicer
from server.api.export import ExportServicer
from server.api.http_guard import HttpGuard
from server.api.http_routes import http_routes
from server.api.http_server import HttpServer
from server.api.insights import InsightsServicer
from server.api.interceptor import CallInterceptor
from server.api.keys import KeyServicer
from server.api.live import LiveServicer
from server.api.live_socket import LiveSocket
from server.api.mcp import McpEndpoint
from server.api.meetings import MeetingServicer
from server.api.metrics import MetricServicer
from server.api.open_calls import OpenCallLimits, OpenCalls
from server.api.organization import OrganizationServicer
from server.api.playback import MeetingSound, PlaybackServicer
from server.api.public_services import public_services
from server.api.search import SearchServicer
from server.api.speakers import SpeakerServicer
from server.api.transcriptions import TranscriptionApi
from server.api.upload_requests import record_upload
from server.api.users import UserServicer
from server.api.voices import VoiceServicer
from server.api.webhooks import WebhookServicer
from server.audio import AudioLog
from server.audit import AuditTrail
from server.auth import (
    Accounts,
    Authenticator,
    Keys,
    LoginThrottle,
    Members,
    Passwords,
    SessionGrants,
    Tokens,
    UserWatch,
)
from server.config import ServerSettings
from server.disk import DiskReserve
from server.engine import InferenceClient
from server.export import MeetingAudio, Playback
from server.fair_slots import FairSlots
from server.live import LiveSessionRegistry
from server.meetings import Corrections, Deletion, ResumableUploads, Uploads
from server.search import Search
from server.storage import Database
from server.webhooks import Webhooks

MAX_MESSAGE = 4 * 1024 * 1024
# Limit of a call's headers, bytes. The gateway refuses more than 60 KiB with its own message, so gateway calls never
# hit this limit.
MAX_METADATA = 96 * 1024
# Calls that have come and are not begun. gRPC cancels more without a word, whoever's they are; its own limit is 1000,
# and the gateway passes on at most 5504 at once.
MAX_PENDING_CALLS = 8192
# Seconds that running uploads get to finish when the server stops.
STOP_GRACE_S = 10.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ApiDependencies:
    """The objects that the API's services call."""

    settings: ServerSettings
    database: Database
    tokens: Tokens
    authenticator: Authenticator
    trail: AuditTrail
    audio_log: AudioLog
    user_watch: UserWatch
    passwords: Passwords
    uploads: Uploads
    deletion: Deletion
    inference: InferenceClient
    corrections: Corrections
    live: LiveSessionRegistry
    search: Search
    webhooks: Webhooks


@dataclass(frozen=True)
class ApiServer:
    """The servers of the services, of WebSockets, and of plain HTTP, and what they do beside their calls."""

    services: aio.Server
    sockets: LiveSocket
    http: HttpServer
    playback: Playback
    mcp: McpEndpoint
    database: Database
    calls: CallInterceptor


def build_server(dependencies: ApiDependencies) -> ApiServer:
    """Build the API's server with all services; it has no address yet."""
    settings = dependencies.settings
    limits = OpenCallLimits(settings.open_calls_per_user, settings.open_calls_per_organization)
    open_streams = OpenStreams(dependencies.authenticator)
    # First, so that streams are looked at with what is known from now on.
    dependencies.user_watch.subscribe(dependencies.authenticator.forget)
    dependencies.user_watch.subscribe(open_streams.look_again)
    interceptor = CallInterceptor(dependencies.authenticator, OpenCalls(limits), open_streams, dependencies.trail)
    server = aio.server(
        interceptors=[interceptor],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_metadata_size", MAX_METADATA),
            ("grpc.absolute_max_metadata_size", 2 * MAX_METADATA),
            ("grpc.server.max_pending_requests", MAX_PENDING_CALLS),
            ("grpc.server.max_pending_requests_hard_limit", MAX_PENDING_CALLS),
            # Otherwise a second server on the port would silently take half of the calls.
            ("grpc.so_reuseport", 0),
            # Bots ping during silences to notice a dead server.
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
        ],
    )
    answers = Answers(dependencies.database, partial_answers=dependencies.live.partial_answers)
    database, watch = dependencies.database, dependencies.user_watch
    accounts = Accounts(database, dependencies.passwords, dependencies.tokens, LoginThrottle(), watch)
    auth_pb2_grpc.add_AuthServiceServicer_to_server(AuthServicer(accounts, dependencies.tokens.keys), server)
    keys_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(Keys(database, watch)), server)
    users_pb2_grpc.add_UserServiceServicer_to_server(
        UserServicer(Members(database, watch, dependencies.passwords)), server
    )
    audit_pb2_grpc.add_AuditServiceServicer_to_server(AuditServicer(database), server)
    audio_log = dependencies.audio_log
    disk = DiskReserve(audio_log.root, settings.disk_reserve_bytes)
    # One decoder: exports have time, and recordings come first.
    audio = MeetingAudio(audio_log, audio_log.incoming, FairSlots(1), disk)
    exports = ExportServicer(database, audio, settings.quotas)
    export_pb2_grpc.add_ExportServiceServicer_to_server(exports, server)
    organization_pb2_grpc.add_OrganizationServiceServicer_to_server(
        OrganizationServicer(
            database,
            settings.quotas,
            dependencies.inference,
            settings.summary_model if settings.summary_url else "",
        ),
        server,
    )
    meetings = MeetingServicer(dependencies.database, dependencies.uploads, dependencies.deletion)
    meetings_pb2_grpc.add_MeetingServiceServicer_to_server(meetings, server)
    corrections_pb2_grpc.add_CorrectionServiceServicer_to_server(CorrectionServicer(dependencies.corrections), server)
    speakers_pb2_grpc.add_SpeakerServiceServicer_to_server(SpeakerServicer(answers, dependencies.corrections), server)
    insights_pb2_grpc.add_InsightsServiceServicer_to_server(InsightsServicer(answers), server)
    voices_pb2_grpc.add_VoiceServiceServicer_to_server(VoiceServicer(dependencies.database), server)
    search_pb2_grpc.add_SearchServiceServicer_to_server(SearchServicer(dependencies.search), server)
    comparison_pb2_grpc.add_ComparisonServiceServicer_to_server(ComparisonServicer(database), server)
    metrics_pb2_grpc.add_MetricServiceServicer_to_server(MetricServicer(), server)
    webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(WebhookServicer(dependencies.webhooks), server)
    grants = SessionGrants(dependencies.authenticator.session_tokens, database)
    playback = Playback(audio_log, database, FairSlots(1), disk)
    players = PlaybackServicer(database, answers, playback, grants, audio_log)
    playback_pb2_grpc.add_PlaybackServiceServicer_to_server(players, server)
    live = LiveServicer(dependencies.live, settings, grants, database)
    live_pb2_grpc.add_LiveServiceServicer_to_server(live, server)
    names = [service.full_name for service in public_services()]
    reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    stream: Any = interceptor.guard_stream("/meetra.v1.LiveService/StreamMeeting", live.StreamMeeting)
    sound, mcp = MeetingSound(players), McpEndpoint()
    resumable = ResumableUploads(dependencies.uploads, database, record_upload)
    transcriptions = TranscriptionApi(database, dependencies.uploads, exports.files, dependencies.inference)
    routes = http_routes(HttpGuard(interceptor), resumable, sound, transcriptions, mcp)
    http = HttpServer(routes, STOP_GRACE_S)
    return ApiServer(server, LiveSocket(stream), http, playback, mcp, database, interceptor)


async def serve(
    server: ApiServer,
    listen: str,
    stop: asyncio.Event,
    live: LiveSessionRegistry,
    user_watch: UserWatch,
    trail: AuditTrail,
    deletion: Deletion,
    *,
    socket_listen: str | None = None,
    http_listen: str | None = None,
) -> None:
    """Serve on ``listen`` until ``stop`` is set, then shut down gracefully.

    Everything is served until load balancers know that it ends. Live clients are told to reconnect; other calls get
    STOP_GRACE_S to finish. Then the audit log is complete.

    Args:
        socket_listen: where WebSockets are served; None: nowhere.
        http_listen: where plain HTTP is served; None: nowhere.

    Raises RuntimeError or OSError if an address cannot be bound.
    """
    services = server.services
    states = HealthStates(services)
    services.add_insecure_port(listen)
    if socket_listen is not None:
        await server.sockets.start(socket_listen)
    if http_listen is not None:
        await server.mcp.start(listen)
        await server.http.start(http_listen)
    await services.start()
    await states.start()
    log.info("the API serves on %s", listen)
    background = [
        asyncio.create_task(live.supervise(), name="supervise live meetings"),
        asyncio.create_task(user_watch.run(), name="watch users"),
        asyncio.create_task(trail.run(), name="write the audit log"),
        asyncio.create_task(deletion.run_due(), name="carry out deletions"),
        asyncio.create_task(follow(states, server.database.keep_checking), name="check the database"),
    ]
    await stop.wait()
    await states.stop()
    # Calls that come while gRPC's server stops are cancelled.
    await states.leave_balancers(lambda: server.calls.last_call_at)
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    await live.close()
    await server.sockets.stop()
    await asyncio.gather(services.stop(STOP_GRACE_S), server.http.stop())
    await server.mcp.stop()
    await server.playback.close()
    await trail.close()
