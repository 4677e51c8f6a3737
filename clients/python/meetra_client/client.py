"""The way in: one server, one user, any number of live meetings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from meetra.v1 import live_pb2

from meetra_client.connection import Endpoint
from meetra_client.credentials import Credentials
from meetra_client.delivery import Patience
from meetra_client.errors import ConnectionLost
from meetra_client.events import watch
from meetra_client.live_meeting import BUFFER_S, LiveMeeting
from meetra_client.reconnect import Backoff
from meetra_client.tracks import Track

KEEPALIVE_S = 10.0


class MeetraClient:
    """A user of a Meetra server; an async context manager that logs in.

    Args:
        url: ``http://host:port`` of the gateway, or ``https://...``.
        token: of that user, or
        email, password: a token is had with these, and had anew when it expires.
        patience: how long lost connections are borne.
        keepalive_s: how often a connection is probed, seconds; a peer that vanished is noticed within twice that.

    Raises ValueError for an address or credentials that cannot be.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        email: str | None = None,
        password: str | None = None,
        patience: Patience | None = None,
        keepalive_s: float = KEEPALIVE_S,
    ) -> None:
        self._endpoint = Endpoint.parse(url, keepalive_s)
        self._credentials = Credentials(self._endpoint, token, email, password)
        self._patience = patience or Patience()

    async def __aenter__(self) -> MeetraClient:
        """Logs in. Raises InvalidCredentials, Unreachable or another MeetraError."""
        await self.token()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left open: each meeting has connections of its own."""

    async def token(self) -> str:
        """The user's token, for other calls of the API: ``error_from`` says what their failures mean.

        Raises InvalidCredentials, Unreachable or another MeetraError.
        """
        backoff = Backoff(self._patience.open_s)
        while True:
            try:
                return await self._credentials.token()
            except ConnectionLost as lost:
                await backoff.wait(lost)

    def live(
        self,
        *,
        tracks: Sequence[Track],
        name: str = "",
        date: str = "",
        n_speakers: int = 0,
        language: str = "",
        key_terms: Sequence[str] = (),
        insights_period_s: int = 0,
        buffer_s: float = BUFFER_S,
    ) -> LiveMeeting:
        """A new meeting, opened by ``async with``.

        Args:
            tracks: its sources of audio.
            name, date, language: as for an upload.
            key_terms: names and terms that may be said, beside the participants' names.
            n_speakers: how many people speak in the MIXED tracks together, if known.
            insights_period_s: seconds between two `insights` events, 5..600; 0: the server's choice.
            buffer_s: how much audio of a track may be unacknowledged before ``send`` waits, seconds.

        ``async with`` raises BadRequest, TooManyLiveMeetings, Unauthenticated, Unreachable or another MeetraError.
        """
        config = live_pb2.LiveConfig(
            name=name,
            date=date,
            tracks=[track.config() for track in tracks],
            n_speakers=n_speakers,
            language=language,
            key_terms=key_terms,
            insights_period_s=insights_period_s,
        )
        return LiveMeeting(self._endpoint, self._credentials, config, tracks, self._patience, buffer_s)

    def resume(
        self,
        session_id: str,
        *,
        tracks: Sequence[Track],
        after_event_seq: int = 0,
        take_over: bool = False,
        buffer_s: float = BUFFER_S,
    ) -> LiveMeeting:
        """A session that another process began: ``position`` of a track says where its audio goes on.

        Args:
            session_id: ``LiveMeeting.session_id`` of that process.
            tracks: those of the session that audio is sent on, as they were given then.
            after_event_seq: the last event seen; 0: all events come again.
            take_over: go on although somebody is connected, who is told TakenOver.

        ``async with`` raises SessionNotFound, HeldByAnotherClient, ValueError for a track that the session lacks,
        or another MeetraError.
        """
        config = live_pb2.LiveConfig(session_id=session_id, take_over=take_over, after_event_seq=after_event_seq)
        return LiveMeeting(self._endpoint, self._credentials, config, tracks, self._patience, buffer_s)

    def watch(self, session_id: str, after_event_seq: int = 0) -> AsyncGenerator[live_pb2.LiveEvent, None]:
        """The events of a meeting beside the one who sends, each once, until `finished`.

        Raises SessionNotFound, Unreachable or another MeetraError.
        """
        return watch(self._endpoint, self._credentials, session_id, after_event_seq, self._patience.reconnect_s)
