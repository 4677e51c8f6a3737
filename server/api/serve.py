"""The gRPC server of the API: services, health, reflection, and a stop that lets uploads finish."""

from __future__ import annotations

import asyncio
import logging

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from meetra.v1 import (
    auth_pb2,
    auth_pb2_grpc,
    insights_pb2,
    insights_pb2_grpc,
    live_pb2,
    live_pb2_grpc,
    meetings_pb2,
    meetings_pb2_grpc,
    speakers_pb2,
    speakers_pb2_grpc,
    voices_pb2,
    voices_pb2_grpc,
)

from server.api.answers import Answers
from server.api.auth import AuthServicer
from server.api.insights import InsightsServicer
from server.api.interceptor import CallInterceptor
from server.api.live import LiveServicer
from server.api.meetings import MeetingServicer
from server.api.speakers import SpeakerServicer
from server.api.voices import VoiceServicer
from server.auth import Authenticator, Passwords, Tokens
from server.config import ServerSettings
from server.live import LiveMeetings
from server.meetings import Corrections, Deletion, Uploads
from server.storage import Database

MAX_MESSAGE = 4 * 1024 * 1024
# Bytes of a call's headers, with the target. The gateway lets 60 KiB through and refuses more with a message
# of its own, so what comes from it is never cut here.
MAX_METADATA = 96 * 1024
# Uploads that run when the server is told to stop may take this long to finish.
STOP_GRACE_S = 10.0
log = logging.getLogger(__name__)


def build_server(
    database: Database,
    tokens: Tokens,
    uploads: Uploads,
    deletion: Deletion,
    live: LiveMeetings,
    settings: ServerSettings,
) -> aio.Server:
    """The API's server, without an address yet."""
    server = aio.server(
        interceptors=[CallInterceptor(Authenticator(tokens, database))],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_metadata_size", MAX_METADATA),
            ("grpc.absolute_max_metadata_size", 2 * MAX_METADATA),
            # A second server on the same port would silently take half of the calls.
            ("grpc.so_reuseport", 0),
            # Bots ping through silences, to notice a server that vanished.
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
        ],
    )
    answers, corrections = Answers(database), Corrections(database)
    auth_pb2_grpc.add_AuthServiceServicer_to_server(AuthServicer(database, Passwords(), tokens), server)
    meetings_pb2_grpc.add_MeetingServiceServicer_to_server(MeetingServicer(database, uploads, deletion), server)
    speakers_pb2_grpc.add_SpeakerServiceServicer_to_server(SpeakerServicer(answers, corrections), server)
    insights_pb2_grpc.add_InsightsServiceServicer_to_server(InsightsServicer(answers), server)
    voices_pb2_grpc.add_VoiceServiceServicer_to_server(VoiceServicer(database), server)
    live_pb2_grpc.add_LiveServiceServicer_to_server(LiveServicer(live, settings), server)
    names = [
        module.DESCRIPTOR.services_by_name[name].full_name
        for module, name in (
            (auth_pb2, "AuthService"),
            (meetings_pb2, "MeetingService"),
            (speakers_pb2, "SpeakerService"),
            (insights_pb2, "InsightsService"),
            (voices_pb2, "VoiceService"),
            (live_pb2, "LiveService"),
        )
    ]
    reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return server


async def serve(server: aio.Server, listen: str, stop: asyncio.Event, live: LiveMeetings) -> None:
    """Serves on ``listen`` until ``stop`` is set; running calls get a grace, live ones are told to connect again.

    Raises RuntimeError when the address cannot be had.
    """
    states = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    server.add_insecure_port(listen)
    await server.start()
    await states.set("", health_pb2.HealthCheckResponse.SERVING)
    log.info("the API serves on %s", listen)
    looking = asyncio.create_task(live.look_after(), name="look after live meetings")
    await stop.wait()
    await states.enter_graceful_shutdown()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await live.close()
    await server.stop(STOP_GRACE_S)
