"""The entry point: one server, one user; live meetings, recordings, and every other call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from grpc import aio
from meetra.v1 import live_pb2, rules_pb2

from meetra_client.calls import AuthorizedChannel
from meetra_client.connection import Endpoint
from meetra_client.correction_calls import CorrectionCalls
from meetra_client.credentials import Credentials
from meetra_client.delivery import Patience
from meetra_client.environment import resolve_account
from meetra_client.errors import ConnectionLost
from meetra_client.event_messages import event_from
from meetra_client.event_values import Event
from meetra_client.events import watch
from meetra_client.live_calls import LiveCalls
from meetra_client.live_meeting import BUFFER_S, LiveMeeting
from meetra_client.meetings import MeetingCalls
from meetra_client.reachability import check_reachable
from meetra_client.reconnect import Backoff
from meetra_client.tracks import Track

KEEPALIVE_S = 10.0
# Of single calls, which may keep a busy server waiting: only one that is gone is to be noticed.
CALLS_KEEPALIVE_S = 120.0
Stub = TypeVar("Stub")


class MeetraClient(MeetingCalls, CorrectionCalls, LiveCalls):
    """A user of a Meetra server; an async context manager that logs in.

    What is not given is taken from the environment: ``MEETRA_URL``; ``MEETRA_EMAIL`` and ``MEETRA_PASSWORD``, or
    ``MEETRA_TOKEN``.

    Args:
        url: ``http://host:port`` or ``https://host:port`` of the gateway.
        token: the user's token, or an API key; or
        email, password: used to obtain a token, and to renew it on expiry.
        patience: for how long to tolerate lost connections.
        keepalive_s: interval of probes of a live connection, seconds; a dead peer is noticed within twice that.

    Raises ValueError for an invalid address, where address or credentials are missing, or both kinds of them are given.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        email: str | None = None,
        password: str | None = None,
        patience: Patience | None = None,
        keepalive_s: float = KEEPALIVE_S,
    ) -> None:
        account = resolve_account(url, token, email, password)
        self._url, self._patience = account.url, patience or Patience()
        self._endpoint = Endpoint.parse(account.url, keepalive_s)
        self._credentials = Credentials(self._endpoint, account.token, account.email, account.password)
        calls = Endpoint.parse(account.url, CALLS_KEEPALIVE_S)
        self.channel: aio.Channel = AuthorizedChannel(calls, self._credentials, self.token, self._patience.call_s)
        MeetingCalls.__init__(self, self.channel, self._credentials)
        CorrectionCalls.__init__(self, self.channel)
        LiveCalls.__init__(self, self.channel)

    async def __aenter__(self) -> MeetraClient:
        """Log in. Raises InvalidCredentials, Unreachable or another MeetraError."""
        await self.token()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection of single calls; each live meeting owns its own."""
        await self.channel.close(None)

    async def check_reachable(self) -> None:
        """Connect once, without patience, to tell a wrong address at once. Raises Unreachable."""
        await check_reachable(self._url, self._endpoint)

    async def token(self) -> str:
        """Return the user's token, for calls by other means.

        Raises InvalidCredentials, Unreachable or another MeetraError.
        """
        backoff = Backoff(self._patience.open_s)
        while True:
            try:
                return await self._credentials.token()
            except ConnectionLost as lost:
                await backoff.wait(lost)

    def stub(self, kind: Callable[[aio.Channel], Stub]) -> Stub:
        """Return a stub for the calls of any service: ``client.stub(KeyServiceStub)``.

        Its calls are signed with the user's token, repeated while the server is unavailable if they only read, and
        raise MeetraError. Calls without a stream are awaitables, others asynchronous iterators.
        """
        return kind(self.channel)

    def live(
        self,
        *,
        tracks: Sequence[Track],
        name: str = "",
        date: str = "",
        n_speakers: int = 0,
        language: str = "",
        key_terms: Sequence[str] = (),
        consent: Sequence[str] = (),
        insights_period_s: int = 0,
        redact: str = "",
        rules: Sequence[rules_pb2.LiveRule] = (),
        pause_s: int = 0,
        turn_pause_ms: int = 0,
        buffer_s: float = BUFFER_S,
    ) -> LiveMeeting:
        """Return a new meeting, opened by ``async with``.

        Args:
            tracks: its audio sources.
            name, date, language: as for an upload.
            n_speakers: number of people on the MIXED tracks together; 0 if unknown.
            key_terms: terms to bias recognition with, in addition to the participants' names.
            consent: who consented, and how: ``who; how`` or ``who; how; when`` each.
            insights_period_s: seconds between two `insights` events, 5..600; 0 for the server's default.
            redact: kinds to redact besides the organization's, separated by commas: email, phone, card, iban, name.
            rules: what is told as an Alert, besides the organization's rules: `LiveRule` of ``meetra.v1.rules_pb2``.
            pause_s: seconds without speech before a Pause is told, 1..600; 0: 3.
            turn_pause_ms: silence of a speaker that ends their turn, milliseconds, 500..5000; 0: 500.
            buffer_s: audio per track that may be unacknowledged before ``send`` waits, seconds.

        ``async with`` raises BadRequest, ConsentRequired, TooManyLiveMeetings, ServerOverloaded, Unauthenticated,
        Unreachable or another MeetraError.
        """
        config = live_pb2.LiveConfig(
            name=name,
            date=date,
            tracks=[track.config() for track in tracks],
            n_speakers=n_speakers,
            language=language,
            key_terms=key_terms,
            consent=consent,
            insights_period_s=insights_period_s,
            redact=redact,
            rules=rules,
            pause_s=pause_s,
            turn_pause_ms=turn_pause_ms,
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
        """Return a session that another process began; ``position`` tells where to continue each track.

        Args:
            session_id: ``LiveMeeting.session_id`` of that process.
            tracks: the session's tracks to send on, as given when it was opened.
            after_event_seq: number of the last event seen; 0 to receive all events again.
            take_over: replace a connected client, which gets TakenOver.
            buffer_s: audio per track that may be unacknowledged before ``send`` waits, seconds.

        ``async with`` raises SessionNotFound, HeldByAnotherClient, ValueError for a track that the session lacks, or
        another MeetraError.
        """
        config = live_pb2.LiveConfig(session_id=session_id, take_over=take_over, after_event_seq=after_event_seq)
        return LiveMeeting(self._endpoint, self._credentials, config, tracks, self._patience, buffer_s)

    async def watch(
        self, session_id: str = "", after_event_seq: int = 0, *, file_hash: str = ""
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of a live meeting, each once, until Finished; independent of its sender.

        Args:
            session_id: ``LiveMeeting.session_id``; or
            file_hash: what names the meeting in other calls.
            after_event_seq: number of the last event seen.

        Raises ValueError unless one of both names is given, SessionNotFound, MeetingNotFound, Unreachable or another
        MeetraError.
        """
        if bool(session_id) == bool(file_hash):
            raise ValueError("name the meeting by session_id or by file_hash")
        request = live_pb2.WatchMeetingRequest(
            session_id=session_id, file_hash=file_hash, after_event_seq=after_event_seq
        )
        patience_s = self._patience.reconnect_s
        async with aclosing(watch(self._endpoint, self._credentials, request, patience_s)) as events:
            async for event in events:
                yield event_from(event)
