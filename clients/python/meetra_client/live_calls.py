"""Calls about live meetings that somebody holds: which ones run, and tokens for pages in browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from grpc import aio
from meetra.v1 import live_pb2, live_pb2_grpc


class LiveCalls:
    """The part of ``MeetraClient`` for live meetings of others.

    Every method raises Unauthenticated, PermissionDenied, Unreachable or another MeetraError.
    """

    def __init__(self, channel: aio.Channel) -> None:
        self._live = live_pb2_grpc.LiveServiceStub(channel)

    async def live_meetings(self, *, page_size: int = 50) -> AsyncIterator[live_pb2.LiveMeeting]:
        """Yield the running live meetings of the organization, the newest first, in pages of ``page_size``."""
        request = live_pb2.ListLiveMeetingsRequest(page_size=page_size)
        while True:
            page = await self._live.ListLiveMeetings(request)
            for meeting in page.meetings:
                yield meeting
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def session_token(
        self, session_id: str, *, scopes: Sequence[str], lifetime_s: int = 0
    ) -> live_pb2.CreateSessionTokenResponse:
        """Make a token for one live meeting and a short time, for a page in a browser; it is ``token`` of the answer.

        Args:
            session_id: ``LiveMeeting.session_id``.
            scopes: what it opens: ``send``, ``watch``, or both.
            lifetime_s: seconds until it expires, 1..43200; 0: 3600.

        Raises BadRequest, SessionNotFound, MeetingOver, or another MeetraError.
        """
        request = live_pb2.CreateSessionTokenRequest(session_id=session_id, scopes=scopes, lifetime_s=lifetime_s)
        return await self._live.CreateSessionToken(request)
