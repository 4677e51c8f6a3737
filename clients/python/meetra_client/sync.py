"""The client without asyncio: the same names, arguments and errors, in blocking calls.

One background thread per client does the work, so a live meeting stays connected while the caller computes. All
methods may be called from several threads at once: one sends audio while another iterates over events. Callbacks run on
the background thread; what they call must not block for long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

import grpc
from meetra.v1 import live_pb2

from meetra_client import client as asynchronous
from meetra_client.blocking import Blocking, BlockingChannel, blocking, iterating
from meetra_client.client import KEEPALIVE_S
from meetra_client.correction_calls import CorrectionCalls
from meetra_client.delivery import Patience
from meetra_client.insights import InsightCalls
from meetra_client.live_calls import LiveCalls
from meetra_client.live_meeting import LiveMeeting as AsyncLiveMeeting
from meetra_client.loop_thread import LoopThread
from meetra_client.meetings import MeetingCalls

P = ParamSpec("P")
Stub = TypeVar("Stub")


class BlockingInsights(Blocking[InsightCalls]):
    """See ``meetra_client.insights.InsightCalls``."""

    transcript = blocking(InsightCalls.transcript)
    balance = blocking(InsightCalls.balance)
    speaking_shares = blocking(InsightCalls.speaking_shares)
    interaction = blocking(InsightCalls.interaction)
    interactions = blocking(InsightCalls.interactions)
    energy = blocking(InsightCalls.energy)
    sentiment = blocking(InsightCalls.sentiment)
    emotions = blocking(InsightCalls.emotions)
    emotions_over_time = blocking(InsightCalls.emotions_over_time)
    dynamics = blocking(InsightCalls.dynamics)
    topics = blocking(InsightCalls.topics)
    topic_details = blocking(InsightCalls.topic_details)
    summaries = blocking(InsightCalls.summaries)
    key_points = blocking(InsightCalls.key_points)
    notes = blocking(InsightCalls.notes)
    questions = blocking(InsightCalls.questions)
    audio_quality = blocking(InsightCalls.audio_quality)
    quality = blocking(InsightCalls.quality)


class LiveMeeting(Blocking[AsyncLiveMeeting]):
    """A live meeting; a context manager. See ``meetra_client.LiveMeeting``.

    A body that is interrupted by Ctrl-C leaves the session open for the server's grace period, as one that raises.
    """

    send = blocking(AsyncLiveMeeting.send)
    add_track = blocking(AsyncLiveMeeting.add_track)
    end_track = blocking(AsyncLiveMeeting.end_track)
    rename_track = blocking(AsyncLiveMeeting.rename_track)
    flush = blocking(AsyncLiveMeeting.flush)
    finish = blocking(AsyncLiveMeeting.finish)
    leave = blocking(AsyncLiveMeeting.leave)
    events = iterating(AsyncLiveMeeting.events)

    def __enter__(self) -> LiveMeeting:
        self._thread.run(self._wrapped.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.run(self._wrapped.__aexit__(kind, error, trace))

    @property
    def ready(self) -> live_pb2.LiveReady:
        """The server's latest `ready`: session, limits, engine capabilities."""
        return self._wrapped.ready

    @property
    def session_id(self) -> str:
        """Id to resume the session with, also from another process."""
        return self._wrapped.session_id

    @property
    def file_hash(self) -> str:
        """Id of the meeting in all other API calls."""
        return self._wrapped.file_hash

    @property
    def lag_ms(self) -> int:
        """How far the turns, that is who speaks, are behind the durable audio, milliseconds."""
        return self._wrapped.lag_ms

    @property
    def words_lag_ms(self) -> int:
        """How far the words are behind the durable audio, milliseconds; some seconds are normal."""
        return self._wrapped.words_lag_ms

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._wrapped.connected

    @property
    def reconnects(self) -> int:
        """Number of reconnections."""
        return self._wrapped.reconnects

    @property
    def last_event_seq(self) -> int:
        """Number of the last event received."""
        return self._wrapped.last_event_seq

    @property
    def repeated_events(self) -> int:
        """Number of duplicate events received; 0 unless the server violates its protocol."""
        return self._wrapped.repeated_events

    def position(self, track_id: str) -> int:
        """Return the position of the next sample to ``send``; after a resume, where to continue. Raises ValueError."""
        return self._wrapped.position(track_id)

    def acknowledged(self, track_id: str) -> int:
        """Return the position up to which audio is on the server's disk. Raises ValueError."""
        return self._wrapped.acknowledged(track_id)

    def drop_connection(self, *, silently: bool = False) -> None:
        """Drop the connection to simulate a network failure. See ``meetra_client.LiveMeeting.drop_connection``."""

        async def drop() -> None:
            self._wrapped.drop_connection(silently=silently)

        self._thread.run(drop())


def opening(
    method: Callable[Concatenate[asynchronous.MeetraClient, P], AsyncLiveMeeting],
) -> Callable[Concatenate[Blocking[asynchronous.MeetraClient], P], LiveMeeting]:
    """Return the blocking form of a method that returns a live meeting, with its arguments and docstring."""

    @wraps(method)
    def call(self: Blocking[asynchronous.MeetraClient], /, *args: P.args, **kwargs: P.kwargs) -> LiveMeeting:
        return LiveMeeting(method(self._wrapped, *args, **kwargs), self._thread)

    return call


class MeetraClient(Blocking[asynchronous.MeetraClient]):
    """A user of a Meetra server; a context manager that logs in. See ``meetra_client.MeetraClient``."""

    upload = blocking(MeetingCalls.upload)
    status = blocking(MeetingCalls.status)
    states = iterating(MeetingCalls.states)
    wait = blocking(MeetingCalls.wait)
    meetings = iterating(MeetingCalls.meetings)
    search = blocking(MeetingCalls.search)
    delete = blocking(MeetingCalls.delete)
    restore = blocking(MeetingCalls.restore)
    transcript = blocking(MeetingCalls.transcript)
    export_meeting = iterating(MeetingCalls.export_meeting)
    meeting_audio = iterating(MeetingCalls.meeting_audio)
    live_meetings = iterating(LiveCalls.live_meetings)
    session_token = blocking(LiveCalls.session_token)
    speakers = blocking(MeetingCalls.speakers)
    rename_speaker = blocking(CorrectionCalls.rename_speaker)
    merge_speakers = blocking(CorrectionCalls.merge_speakers)
    split_speaker = blocking(CorrectionCalls.split_speaker)
    move_sentence = blocking(CorrectionCalls.move_sentence)
    correct_sentence = blocking(CorrectionCalls.correct_sentence)
    remove_sentence = blocking(CorrectionCalls.remove_sentence)
    corrections = iterating(CorrectionCalls.corrections)
    undo_correction = blocking(CorrectionCalls.undo_correction)
    redo_correction = blocking(CorrectionCalls.redo_correction)
    token = blocking(asynchronous.MeetraClient.token)
    check_reachable = blocking(asynchronous.MeetraClient.check_reachable)
    watch = iterating(asynchronous.MeetraClient.watch)
    live = opening(asynchronous.MeetraClient.live)
    resume = opening(asynchronous.MeetraClient.resume)

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
        wrapped = asynchronous.MeetraClient(
            url, token=token, email=email, password=password, patience=patience, keepalive_s=keepalive_s
        )
        super().__init__(wrapped, LoopThread())
        self.insights = BlockingInsights(wrapped.insights, self._thread)

    def __enter__(self) -> MeetraClient:
        """Log in. Raises InvalidCredentials, Unreachable or another MeetraError."""
        try:
            self._thread.run(self._wrapped.__aenter__())
        except BaseException:
            self._thread.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection, and end the thread."""
        try:
            self._thread.run(self._wrapped.__aexit__())
        finally:
            self._thread.close()

    def stub(self, kind: Callable[[grpc.Channel], Stub]) -> Stub:
        """Return a stub for the calls of any service. See ``meetra_client.MeetraClient.stub``; its calls block."""
        return kind(BlockingChannel(self._wrapped.channel, self._thread))
