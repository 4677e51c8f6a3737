"""A real gRPC server, with the interceptor of the API, whose calls all fail with an error of one's choice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc, live_pb2, live_pb2_grpc

import meetra_client
from meetra_client.connection import Connection, Endpoint
from meetra_client.errors import ConnectionLost
from server import errors
from server.api.access import OpenStreams
from server.api.interceptor import CallInterceptor
from server.api.open_calls import OpenCallLimits, OpenCalls
from server.api.refusal_pace import RefusalPace
from server.audit import AuditTrail
from server.auth import Authenticator
from server.storage.pool import Database
from tests.server.signing import tokens
from tests.server.storage.rows import make_user

# One of each type.
EXAMPLES: tuple[errors.MeetraError, ...] = (
    errors.AudioDeleted(datetime(2026, 11, 29, tzinfo=UTC)),
    errors.AudioGap("mix", 5, 9),
    errors.AudioNotStored(),
    errors.AudioOverlap("mix", 5, 1, 9),
    errors.BadRequest("config.name", "500 characters; the limit is 100"),
    errors.ChannelsDiffer("mixed"),
    errors.ConsentRequired(),
    errors.RedactionDiffers("email,phone"),
    errors.FileTooLarge(9_000),
    errors.HeldByAnotherClient(),
    errors.HeldByAnotherServer(),
    errors.InternalError(),
    errors.InvalidCredentials(),
    errors.KeyNotFound(),
    errors.LastOwner(),
    errors.LiveMeetingTooLong(28_800.0),
    errors.MeetingFailed("keine Tonspur, „naïve“ 🎈"),
    errors.MeetingNotFound(),
    errors.MeetingOver(),
    errors.TrackEnded("bob"),
    errors.TooManyTracks(32),
    errors.TooManyRenames(500),
    errors.TrackDiffers("bob"),
    errors.MeetingStillProcessing(5),
    errors.PermissionDenied("reader"),
    errors.QuotaExceeded("upload_bytes_per_day", 9_000, 8_999, 3_600),
    errors.RecordingTooLong(9.4, 5.0),
    errors.ServiceUnavailable(),
    errors.SessionNotFound(),
    errors.SpeakerNotFound(),
    errors.SentenceNotFound(9, 5),
    errors.SentenceChanged(),
    errors.CorrectionNotLatest(4),
    errors.CorrectionNotNext(5),
    errors.AddressTaken(),
    errors.UsersAddedByOperator(),
    errors.TooManyCorrections(5000),
    errors.StorageFull(),
    errors.TakenOver(),
    errors.TooManyLiveMeetings(4),
    errors.ExportRunning(),
    errors.SearchOverloaded(),
    errors.ServerOverloaded("lag"),
    errors.DocumentNotMade("pdf"),
    errors.TooManyKeys(100),
    errors.TooManyWebhooks(20),
    errors.WebhookDeliveryNotFound(),
    errors.WebhookNotFound(),
    errors.WebhookPaused(),
    errors.WebhooksOff(),
    errors.TooManyLogins(3),
    errors.TooManyOpenCalls("user", 4, streams=True),
    errors.TranscriptDeleted(datetime(2026, 11, 29, tzinfo=UTC)),
    errors.Unauthenticated(),
    errors.UnsupportedContentEncoding(),
    errors.AudioUnavailable("it could not be decoded"),
    errors.UploadNotFound(),
    errors.UploadOffsetDiffers(4096),
    errors.UploadLocked(),
    errors.TooManyUnfinishedUploads(1000),
    errors.UserNotFound(),
    errors.VoiceNotFound(),
)


class RefusingServer(auth_pb2_grpc.AuthServiceServicer, live_pb2_grpc.LiveServiceServicer):
    """Fails with ``error``: logins at once, streams after ``events`` messages; with ``bare`` without its details."""

    def __init__(self, owner: Database) -> None:
        self._owner, self._tokens = owner, tokens()
        self.error: Exception = errors.InternalError()
        self.events = 0
        self.bare = False

    async def start(self) -> tuple[aio.Server, int]:
        """The running server, and its port. The caller stops it."""
        open_calls = OpenCalls(OpenCallLimits(user=100, organization=100))
        authenticator = Authenticator(self._tokens, self._owner)
        # However quickly its calls follow each other, none is refused as the one before.
        pace = RefusalPace(clock=count(0.0, 60.0).__next__)
        interceptor = CallInterceptor(
            authenticator, open_calls, OpenStreams(authenticator), AuditTrail(self._owner, 1000), pace=pace
        )
        server = aio.server(interceptors=[interceptor])
        auth_pb2_grpc.add_AuthServiceServicer_to_server(self, server)
        live_pb2_grpc.add_LiveServiceServicer_to_server(self, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    async def token(self) -> str:
        """Of a user, for the calls that need one."""
        user = await make_user(self._owner)
        return self._tokens.issue(user.id, user.token_generation)

    async def Login(self, request: auth_pb2.LoginRequest, context: Any) -> auth_pb2.LoginResponse:  # noqa: N802
        await self._fail(context)
        return auth_pb2.LoginResponse()

    async def ListTokenKeys(  # noqa: N802
        self, request: auth_pb2.ListTokenKeysRequest, context: Any
    ) -> auth_pb2.ListTokenKeysResponse:
        await self._fail(context)
        return auth_pb2.ListTokenKeysResponse()

    async def Logout(self, request: auth_pb2.LogoutRequest, context: Any) -> auth_pb2.LogoutResponse:  # noqa: N802
        await self._fail(context)
        return auth_pb2.LogoutResponse()

    async def ChangePassword(  # noqa: N802
        self, request: auth_pb2.ChangePasswordRequest, context: Any
    ) -> auth_pb2.ChangePasswordResponse:
        await self._fail(context)
        return auth_pb2.ChangePasswordResponse()

    async def GetMe(self, request: auth_pb2.GetMeRequest, context: Any) -> auth_pb2.GetMeResponse:  # noqa: N802
        await self._fail(context)
        return auth_pb2.GetMeResponse()

    async def OpenMeeting(self, request: live_pb2.OpenMeetingRequest, context: Any) -> live_pb2.OpenMeetingResponse:  # noqa: N802
        await self._fail(context)
        return live_pb2.OpenMeetingResponse()

    async def SendAudio(self, request: live_pb2.SendAudioRequest, context: Any) -> live_pb2.SendAudioResponse:  # noqa: N802
        await self._fail(context)
        return live_pb2.SendAudioResponse()

    async def ControlMeeting(  # noqa: N802
        self, request: live_pb2.ControlMeetingRequest, context: Any
    ) -> live_pb2.ControlMeetingResponse:
        await self._fail(context)
        return live_pb2.ControlMeetingResponse()

    async def CreateSessionToken(  # noqa: N802
        self, request: live_pb2.CreateSessionTokenRequest, context: Any
    ) -> live_pb2.CreateSessionTokenResponse:
        await self._fail(context)
        return live_pb2.CreateSessionTokenResponse()

    async def StreamMeeting(  # noqa: N802
        self, requests: AsyncIterator[live_pb2.StreamMeetingRequest], context: Any
    ) -> AsyncIterator[live_pb2.StreamMeetingResponse]:
        for event in self._events():
            yield live_pb2.StreamMeetingResponse(event=event)
        await self._fail(context)

    async def ListLiveMeetings(self, request: Any, context: Any) -> live_pb2.ListLiveMeetingsResponse:  # noqa: N802
        return live_pb2.ListLiveMeetingsResponse()

    async def WatchMeeting(  # noqa: N802
        self, request: live_pb2.WatchMeetingRequest, context: Any
    ) -> AsyncIterator[live_pb2.WatchMeetingResponse]:
        for event in self._events():
            yield live_pb2.WatchMeetingResponse(event=event)
        await self._fail(context)

    def _events(self) -> list[live_pb2.LiveEvent]:
        return [live_pb2.LiveEvent(event_seq=number + 1) for number in range(self.events)]

    async def _fail(self, context: Any) -> None:
        if self.bare and isinstance(self.error, errors.MeetraError):
            said, trailers = self.error.message, self.error.metadata()
            await context.abort(self.error.grpc_status, said, trailing_metadata=trailers)
        raise self.error


async def refused_login(endpoint: Endpoint) -> meetra_client.MeetraError:
    """What the client makes of a login that fails."""
    with pytest.raises((meetra_client.MeetraError, ConnectionLost)) as raised:
        await endpoint.login("a@example.org", "a password")
    return _said(raised.value)


async def refused_stream(endpoint: Endpoint, token: str) -> meetra_client.MeetraError:
    """What the client makes of a live meeting that fails."""
    connection = Connection(endpoint, token)
    try:
        with pytest.raises((meetra_client.MeetraError, ConnectionLost)) as raised:
            await connection.open(live_pb2.LiveConfig())
    finally:
        await connection.close()
    return _said(raised.value)


def _said(raised: BaseException) -> meetra_client.MeetraError:
    # Of what passes the client raises nothing until its patience is over.
    error = raised.error if isinstance(raised, ConnectionLost) else raised
    assert isinstance(error, meetra_client.MeetraError)
    return error
