"""Changes of a meeting's tracks while it runs: instructions that outlive connections, and the tracks as they are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from meetra.v1 import live_pb2

from meetra_client.errors import (
    BadRequest,
    MeetraError,
    TooManyLiveMeetings,
    TooManyRenames,
    TooManyTracks,
    TrackDiffers,
    TrackEnded,
)
from meetra_client.live_enums import Kind
from meetra_client.outbox import Outbox
from meetra_client.track_instructions import ADD, END, RENAME, Instruction, may_lead_to, without_replaced_names
from meetra_client.tracks import Track

log = logging.getLogger("meetra_client")
# Of a new name nothing is told where names are redacted: then a rename is taken as carried out.
RENAME_PATIENCE_S = 10.0
# gRPC may lose the reason of a refusal while something else is being sent. So nothing is sent after an instruction that
# may be refused until it is answered; a new name, which may have no answer, is waited for so long, longer every time.
QUIET_S, MAX_QUIET_S = 1.0, 10.0
_REFUSALS: dict[type[MeetraError], str] = {
    TrackDiffers: ADD,
    TooManyTracks: ADD,
    TooManyLiveMeetings: ADD,
    TooManyRenames: RENAME,
}


class TrackChanges:
    """Carry out changes of tracks in the order in which they are asked for, over as many connections as needed.

    The server carries out what it receives in order, and repeating does nothing: what is not known to be carried out
    is sent again on the next connection.
    """

    def __init__(self, outbox: Outbox, position: Callable[[str], int]) -> None:
        """
        Args:
            outbox: the audio of the tracks.
            position: returns where the audio of a track that the session has goes on.
        """
        self._outbox, self._position = outbox, position
        self.states: dict[str, live_pb2.LiveTrackState] = {}
        self._waiting: list[Instruction] = []
        self._sent: list[Instruction] = []
        """On this connection, in their order."""
        self._quiet_until = 0.0
        self._failure: BaseException | None = None

    @property
    def holds_back(self) -> bool:
        """Whether nothing may be sent until the server has answered an instruction that it may refuse."""
        if any(sent.kind == ADD for sent in self._sent):
            return True
        waits = asyncio.get_running_loop().time() < self._quiet_until
        return waits and any(sent.kind == RENAME for sent in self._sent)

    @property
    def limits(self) -> Mapping[str, int]:
        """Where audio waits until the next track is added."""
        return next((each.after for each in self._waiting if each.kind == ADD and each.after), {})

    @property
    def unsent(self) -> bool:
        """Whether any instruction waits to be sent on this connection."""
        return bool(self._waiting)

    @property
    def awaiting(self) -> bool:
        """Whether the server owes an answer to an instruction."""
        return any(sent.kind != RENAME for sent in self._sent)

    async def add(self, track: Track) -> live_pb2.LiveTrackState:
        """Add a track, or take up one that the session has, and return it as the server has it.

        Raises TrackEnded, TrackDiffers, TooManyTracks, TooManyLiveMeetings, BadRequest, MeetraError.
        """
        state = self.states.get(track.track_id)
        if self._outbox.has(track.track_id):
            buffer = self._outbox.buffer(track.track_id)
            if buffer.ended:
                raise track_ended(track.track_id)
            if _source(buffer.track) != _source(track) or track.start_ms not in (0, buffer.track.start_ms):
                raise _track_differs(track.track_id)
            if asked := self._unsettled(ADD, track.track_id):
                await asyncio.shield(asked.done)
        elif state is not None:
            if state.ended:
                raise track_ended(track.track_id)
            if state.kind != track.config().kind or track.start_ms not in (0, state.start_ms):
                raise _track_differs(track.track_id)
            self._outbox.add(replace(track, start_ms=state.start_ms), self._position(track.track_id), withheld=False)
        else:
            request = live_pb2.StreamMeetingRequest(add_track=track.config())
            # A track without a start begins where the audio before it ends.
            asked = self._ask(request, track.track_id, {} if track.start_ms else self._outbox.ends)
            self._outbox.add(track, 0, withheld=True)
            await asyncio.shield(asked.done)
        return self.states.get(track.track_id, live_pb2.LiveTrackState(track_id=track.track_id))

    def end(self, track_id: str) -> asyncio.Future[None]:
        """End a track after all its audio so far; the future is that of its end, and may be cancelled.

        Raises ValueError for an unknown track, MeetraError.
        """
        state = self.states.get(track_id)
        after: dict[str, int] = {}
        if state is None or self._outbox.has(track_id):
            buffer = self._outbox.buffer(track_id)
            buffer.ended, after = True, {track_id: buffer.end}
        request = live_pb2.StreamMeetingRequest(end_track=live_pb2.EndTrack(track_id=track_id))
        if state is not None and state.ended:
            asked = Instruction(request, track_id)
            asked.settle()
        else:
            asked = self._unsettled(END, track_id) or self._ask(request, track_id, after)
        return asyncio.shield(asked.done)

    async def rename(self, track_id: str, name: str, channel: int) -> None:
        """Rename who is on a track. Raises ValueError for an unknown track or channel, TooManyRenames, MeetraError."""
        state = self.states.get(track_id)
        if state is None or self._outbox.has(track_id):
            track = self._outbox.buffer(track_id).track
            channels = track.channels if track.separate else 0
        else:
            channels = len(state.channel_names)
        if not (1 <= channel <= channels if channels else channel == 0):
            expected = f"1 to {channels}" if channels else "0, because the channels of this track are not separate"
            raise ValueError(f"channel {channel} of track {track_id!r}; it must be {expected}")
        renamed = live_pb2.RenameTrack(track_id=track_id, participant_name=name, channel=channel)
        nothing_is_told = self._has_name(renamed)
        asked = self._ask(live_pb2.StreamMeetingRequest(rename_track=renamed), track_id)
        if nothing_is_told:
            return
        try:
            async with asyncio.timeout(RENAME_PATIENCE_S):
                await asyncio.shield(asked.done)
        except TimeoutError:
            log.info("nothing was told of the new name of track %s; names may be redacted", track_id)

    def next_message(self) -> live_pb2.StreamMeetingRequest | None:
        """Return the next instruction to send now, None if there is none."""
        held: set[str] = set()
        for asked in self._waiting:
            if asked.track_id in held or not self._outbox.has_sent(asked.after):
                held.add(asked.track_id)
                continue
            self._waiting.remove(asked)
            self._sent.append(asked)
            asked.times_sent += 1
            if asked.kind == ADD:
                self._outbox.release(asked.track_id)
            elif asked.kind == RENAME and not self._is_carried_out(asked):
                loop = asyncio.get_running_loop()
                self._quiet_until = loop.time() + min(QUIET_S * asked.times_sent, MAX_QUIET_S)
                loop.call_at(self._quiet_until + 0.01, self._outbox.work.set)
            return asked.message
        return None

    def connected(self, ready: live_pb2.LiveReady) -> None:
        """Adopt the tracks of a new connection; what was not carried out is sent again."""
        self.states = {state.track_id: state for state in ready.track_states}
        asked = without_replaced_names([*self._sent, *self._waiting])
        self._sent = []
        self._waiting = [each for each in asked if not self._is_carried_out(each)]
        for each in asked:
            if each.kind == ADD:
                (self._outbox.withhold if each in self._waiting else self._outbox.release)(each.track_id)
            if each not in self._waiting:
                each.settle()
        for state in ready.track_states:
            self._adopt(state)
        self._outbox.work.set()

    def told(self, change: live_pb2.LiveTrackChange) -> None:
        """Adopt a change, and settle the instruction that it confirms, with all that were sent before it."""
        track = change.track
        self.states[track.track_id] = track
        self._adopt(track)
        confirmed = [
            at for at, sent in enumerate(self._sent) if sent.track_id == track.track_id and may_lead_to(change, sent)
        ]
        if not confirmed:
            return
        # Names may come cleaned of what names must not have; then they are told in their order.
        exactly = [at for at in confirmed if self._is_carried_out(self._sent[at])]
        last = max(exactly, default=confirmed[0])
        done, self._sent = self._sent[: last + 1], self._sent[last + 1 :]
        for each in done:
            each.settle()
        self._outbox.work.set()

    def refused(self, error: MeetraError) -> bool:
        """Return whether an error concerns an instruction or an ended track alone: then the meeting goes on."""
        track_id = error.facts.get("track_id", "")
        if isinstance(error, TrackEnded) and self._outbox.has(track_id):
            self._outbox.drop(track_id, error)
            return True
        kind = _REFUSALS.get(type(error), "")
        if isinstance(error, BadRequest):
            kind = error.facts.get("field", "").partition(".")[0]
        asked = next((s for s in self._sent if s.kind == kind and not self._is_carried_out(s)), None)
        if asked is None:
            return False
        concerned = [asked]
        if kind == ADD:
            concerned = [each for each in (*self._sent, *self._waiting) if each.track_id == asked.track_id]
            self._outbox.drop(asked.track_id, error, known=False)
        log.warning("%s of track %s was refused: %s", kind, asked.track_id, error)
        self._sent = [each for each in self._sent if each not in concerned]
        self._waiting = [each for each in self._waiting if each not in concerned]
        for each in concerned:
            each.settle(error)
        return True

    async def wait_until_settled(self) -> None:
        """Wait until all instructions so far are carried out or refused; of names, as long as a rename does."""
        asked = [*self._sent, *self._waiting]
        if changes := [each.done for each in asked if each.kind != RENAME]:
            await asyncio.wait(changes)
        if names := [each.done for each in asked if each.kind == RENAME]:
            await asyncio.wait(names, timeout=RENAME_PATIENCE_S)

    def finish(self) -> None:
        """Settle all instructions: the meeting has ended after them."""
        for each in (*self._sent, *self._waiting):
            each.settle()
        self._sent, self._waiting = [], []

    def fail(self, failure: BaseException) -> None:
        """Fail all instructions, also later ones."""
        self._failure = failure
        for each in (*self._sent, *self._waiting):
            each.settle(failure)
        self._sent, self._waiting = [], []

    def _ask(
        self, message: live_pb2.StreamMeetingRequest, track_id: str, after: Mapping[str, int] = MappingProxyType({})
    ) -> Instruction:
        if self._failure is not None:
            raise self._failure
        asked = Instruction(message, track_id, after)
        self._waiting.append(asked)
        self._outbox.work.set()
        return asked

    def _unsettled(self, kind: str, track_id: str) -> Instruction | None:
        asked = (*self._sent, *self._waiting)
        return next((each for each in asked if each.kind == kind and each.track_id == track_id), None)

    def _adopt(self, state: live_pb2.LiveTrackState) -> None:
        if self._outbox.has(state.track_id):
            self._outbox.begin_at(state.track_id, state.start_ms)
            if state.ended and not self._outbox.buffer(state.track_id).ended:
                self._outbox.drop(state.track_id, track_ended(state.track_id))

    def _is_carried_out(self, asked: Instruction) -> bool:
        """Return whether the tracks are as an instruction wants them."""
        state = self.states.get(asked.track_id)
        if asked.kind == RENAME:
            return self._has_name(asked.message.rename_track)
        return state is not None and (asked.kind == ADD or state.ended)

    def _has_name(self, renamed: live_pb2.RenameTrack) -> bool:
        state = self.states.get(renamed.track_id)
        if state is None:
            return False
        if not renamed.channel:
            return state.participant_name == renamed.participant_name
        return list(state.channel_names[renamed.channel - 1 : renamed.channel]) == [renamed.participant_name]


def track_ended(track_id: str) -> TrackEnded:
    """Return the error for audio or changes of a track that has ended."""
    return TrackEnded(f"track {track_id!r} has ended; add another", facts={"track_id": track_id})


def _track_differs(track_id: str) -> TrackDiffers:
    text = f"the meeting has a track {track_id!r} of another kind, format or start; choose another track_id"
    return TrackDiffers(text, facts={"track_id": track_id})


def _source(track: Track) -> Track:
    """Return what a track is, whatever its names and its start."""
    kind = Kind(track.config().kind)
    return replace(track, kind=kind, participant_name="", channel_names=(), start_ms=0)
