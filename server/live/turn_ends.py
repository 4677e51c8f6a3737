"""The ends of what people say in a live meeting: told once each, as soon as the silence after them is heard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import chain

from meetra.v1 import live_pb2 as pb

from server.conversation import BACK_CHANNEL_US, UTTERANCE_GAP_US, Utterance, find_turns
from server.insights import interruption_between
from server.live.config import LiveConfig
from server.live.hearing import Hearing
from server.live.published_speech import PublishedSpeech, speaker_id_of, utterances_of, voice_of
from server.live.speaker_names import UNKNOWN_SPEAKER_ID

# How far back who held the floor is looked for, and how far on whether somebody says enough to take over, milliseconds.
BEFORE_MS, AFTER_MS = 60_000, 2_000


class TurnEnds:
    """Tell the end of each stretch of speech once, under its last segment."""

    def __init__(self, config: LiveConfig, speech: PublishedSpeech) -> None:
        """``speech``: holds what is published, before each call."""
        self._config, self._speech, self._pause_ms = config, speech, config.turn_pause_ms
        self._told: set[int] = set()
        self._waiting: dict[int, None] = {}  # published segments that may be the last of a stretch, in order
        self._continued: defaultdict[int, set[int]] = defaultdict(set)  # what goes on with a segment, by its id

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore what was told from stored events."""
        for event in events:
            if event.WhichOneof("event") == "turn_end":
                self._told.add(event.turn_end.segment_id)
                self._waiting.pop(event.turn_end.segment_id, None)
            elif event.WhichOneof("event") == "turn":
                self.note(event.turn)

    def note(self, turn: pb.LiveTurn) -> None:
        """Take note of a segment that has changed: it may go on with others, or no longer."""
        again = [turn.segment_id, *self._continued.pop(turn.segment_id, ())]
        self._waiting.pop(turn.segment_id, None)
        for id_ in again:
            if id_ not in self._told and self._speech.get(id_) is not None:
                self._waiting[id_] = None

    @property
    def waiting(self) -> list[pb.LiveTurn]:
        """The segments whose end is still to be told, those that are spoken now included."""
        return [turn for id_ in self._waiting if (turn := self._speech.get(id_)) is not None]

    def changes(self, has_ended: Callable[[int], bool], hearings: Sequence[Hearing]) -> list[pb.LiveEvent]:
        """Return events for what has ended.

        Args:
            has_ended: returns whether the speech of a segment has ended, by its id.
            hearings: how far each track is heard.
        """
        events = []
        for turn in self.waiting:
            if has_ended(turn.segment_id) and self._is_heard(turn, hearings) and not self._goes_on(turn):
                near = self._near(turn)
                if not self._may_be_decided(turn, near, has_ended, hearings):
                    continue
                own = hearings[self._track(turn)]
                events.append(self._tell(turn, near, own.turns_us // 1000 - turn.end_ms))
        return events

    def conclude(self, duration_ms: int) -> list[pb.LiveEvent]:
        """Return the ends that were not told, of a meeting that has ended: everything is final."""
        return [
            self._tell(
                turn, self._near(turn), duration_ms - turn.end_ms, ends=turn.end_ms + self._pause_ms > duration_ms
            )
            for turn in sorted(self.waiting, key=lambda turn: (turn.end_ms, turn.segment_id))
            if not self._goes_on(turn)
        ]

    def _track(self, turn: pb.LiveTurn) -> int:
        return self._config.track_index(turn.track_id, turn.channel)

    def _near(self, turn: pb.LiveTurn) -> list[pb.LiveTurn]:
        return self._speech.between(turn.end_ms - BEFORE_MS, turn.end_ms + self._pause_ms + AFTER_MS)

    def _speaks_on(self, utterance: Utterance, turn: pb.LiveTurn) -> bool:
        """Return whether an utterance goes on after a segment, or begins within the pause."""
        return utterance.end_us > turn.end_ms * 1000 and utterance.start_us < (turn.end_ms + self._pause_ms) * 1000

    def _is_heard(self, turn: pb.LiveTurn, hearings: Sequence[Hearing]) -> bool:
        """Return whether the silence after a segment is heard, and who speaks in it."""
        until_us, own = 1000 * (turn.end_ms + self._pause_ms), self._track(turn)
        if not hearings[own].quiet and hearings[own].turns_us < until_us:
            return False
        # Turns that are held until they are judged come long after the speech: nobody waits for them.
        return all(
            hearing.turns_us >= until_us for track, hearing in enumerate(hearings) if track != own and hearing.awaited
        )

    def _goes_on(self, turn: pb.LiveTurn) -> bool:
        """Return whether the speaker goes on after the segment, and remember with which."""
        following = [
            other
            for other in self._speech.between(turn.end_ms, turn.end_ms + self._pause_ms - 1)
            if voice_of(other) == voice_of(turn)
            and (other.end_ms, other.start_ms, other.segment_id) > (turn.end_ms, turn.start_ms, turn.segment_id)
        ]
        if following:
            self._continued[following[0].segment_id].add(turn.segment_id)
            del self._waiting[turn.segment_id]
        return bool(following)

    def _may_be_decided(
        self,
        turn: pb.LiveTurn,
        near: Sequence[pb.LiveTurn],
        has_ended: Callable[[int], bool],
        hearings: Sequence[Hearing],
    ) -> bool:
        """Return whether it is known of everybody who speaks after a segment if they take over: in a second at most."""
        spoken = utterances_of(near)
        for other in near:
            own = next(u for u in spoken[voice_of(other)] if u.start_us <= other.start_ms * 1000 <= u.end_us)
            if voice_of(other) == voice_of(turn) or not self._speaks_on(own, turn):
                continue
            heard = hearings[self._track(other)]
            over = heard.quiet or heard.turns_us >= own.end_us + UTTERANCE_GAP_US
            if own.duration_us < BACK_CHANNEL_US and not (has_ended(other.segment_id) and over):
                return False
        return True

    def _tell(
        self, turn: pb.LiveTurn, near: Sequence[pb.LiveTurn], silent_ms: int, *, ends: bool = False
    ) -> pb.LiveEvent:
        spoken = utterances_of(near)
        own = next(u for u in reversed(spoken[voice_of(turn)]) if u.start_us <= turn.start_ms * 1000)
        after = [
            (other, voice)
            for voice, utterances in spoken.items()
            for other in utterances
            if voice != voice_of(turn) and other.duration_us >= BACK_CHANNEL_US and self._speaks_on(other, turn)
        ]
        after.sort(key=lambda pair: (pair[0].start_us, pair[0].end_us, pair[0].speaker))
        others = [(other, speaker_id_of(voice)) for other, voice in after]
        # Who is unknown does not count in the metrics either: neither interrupts nor is interrupted.
        interrupters = [
            speaker_id
            for other, speaker_id in others
            if UNKNOWN_SPEAKER_ID not in (speaker_id, turn.speaker_id)
            and (found := interruption_between(own, other)) is not None
            and found.successful
        ]
        reason, next_speaker_id = pb.TURN_END_REASON_END if ends else pb.TURN_END_REASON_PAUSE, ""
        if interrupters:
            reason, next_speaker_id = pb.TURN_END_REASON_INTERRUPTION, interrupters[0]
        elif others:
            reason, next_speaker_id = pb.TURN_END_REASON_CHANGE, others[0][1]
        self._told.add(turn.segment_id)
        del self._waiting[turn.segment_id]
        return pb.LiveEvent(
            turn_end=pb.LiveTurnEnd(
                segment_id=turn.segment_id,
                speaker_id=turn.speaker_id,
                track_id=turn.track_id,
                channel=turn.channel,
                end_ms=turn.end_ms,
                reason=reason,
                next_speaker_id=next_speaker_id,
                pause_ms=max(0, silent_ms),
                back_channel=_is_back_channel(own, spoken),
            )
        )


def _is_back_channel(own: Utterance, spoken: Mapping[Hashable, Sequence[Utterance]]) -> bool:
    """Return whether an utterance takes no turn, because another holds the floor."""
    before = sorted(
        (u for u in chain.from_iterable(spoken.values()) if u.start_us <= own.start_us),
        key=lambda u: (u.start_us, u.end_us, u.speaker),
    )
    taken = find_turns(before)
    return own.duration_us < BACK_CHANNEL_US and taken[-1].speaker != own.speaker
