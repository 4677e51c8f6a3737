"""The turns of a live meeting: their current state, and the state published to clients.

The engine reports turns per track; after each complete update the difference to the published state becomes events. A
restarted engine (or server) repeats everything: its turns are held back until it has caught up, then compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import UNKNOWN_SPEAKER, Conversation, Segment, TurnState, Word, segment_track_index
from server.live.config import LiveConfig, TrackKind
from server.storage import speaker_id

UNKNOWN_SPEAKER_ID = str(UUID(int=0))
ALL_IDS = range(2**32)


@dataclass(frozen=True, slots=True)
class TurnSnapshot:
    """The current state of a segment; ``speaker`` is the meeting-wide number, UNKNOWN_SPEAKER (0) while unknown."""

    segment_id: int
    track: int
    state: TurnState
    speaker: int
    start_us: int
    end_us: int
    words: tuple[Word, ...]
    language: str = ""
    """BCP 47 primary tag of the words; empty without words or where it is unknown."""

    def segment(self) -> Segment:
        """Return the turn as a domain segment."""
        return Segment(self.segment_id, self.speaker, self.start_us, self.end_us, self.words, language=self.language)


class MeetingTurns:
    """All turns of one meeting, current and published."""

    def __init__(self, config: LiveConfig, meeting_id: UUID) -> None:
        self._config, self._meeting_id = config, meeting_id
        self._current: dict[int, TurnSnapshot] = {}
        self._published: dict[int, pb.LiveTurn] = {}
        self._catching_up: dict[int, dict[int, TurnSnapshot]] = {}  # by track index
        self._repeated_ids: dict[int, range] = {}  # by track index: the ids of turns held back
        self._dirty: set[int] = set()
        self._names = config.participant_names()
        self._settled_tracks: set[int] = set()  # tracks whose stable turns become final with their words
        self._final_words_us: dict[int, int] = {}  # by track index: words are final up to here
        self.final_tracks: set[int] = set()
        """Tracks with a turn that was published as final."""
        self._ignored: set[int] = set()
        self._late_tracks: set[int] = set()  # their audio came after what was final, before a restart

    # Engine updates

    def update(self, turn: TurnSnapshot) -> None:
        """Update a turn from the engine; hold it back while its track is catching up."""
        if turn.track in self._ignored:
            return
        held_back = self._catching_up.get(turn.track)
        if held_back is not None:
            held_back[turn.segment_id] = turn
            return
        self._current[turn.segment_id] = turn
        self._dirty.add(turn.segment_id)

    def start_catch_up(self, track: int, ids: range = ALL_IDS) -> None:
        """Hold back the track's turns with these ids: an engine starts over from where they begin."""
        self._catching_up[track] = {}
        self._repeated_ids[track] = ids

    def finish_catch_up(self, track: int) -> None:
        """Release the held turns of a track and retract current turns that the new engine did not repeat."""
        held_back = self._catching_up.pop(track, None)
        if held_back is None:
            return
        self._replace(track, self._repeated_ids[track], held_back)

    def close_part(self, track: int, ids: range, turns: Iterable[TurnSnapshot]) -> None:
        """Set all turns of a track with these ids: they are what an analysis of its own ended with."""
        if track not in self._ignored:
            self._catching_up.pop(track, None)
            self._replace(track, ids, {turn.segment_id: turn for turn in turns})

    def _replace(self, track: int, ids: range, held_back: dict[int, TurnSnapshot]) -> None:
        known = {id_ for id_, turn in self._current.items() if turn.track == track and id_ in ids}
        retracted = known - set(held_back)
        for id_ in retracted:
            self._current[id_] = replace(self._current[id_], state=TurnState.RETRACTED, words=())
        self._current.update(held_back)
        self._dirty |= retracted | set(held_back)

    def is_catching_up(self, track: int) -> bool:
        """Return whether an engine is repeating audio of the track."""
        return track in self._catching_up

    def settle_speakers(self, track: int) -> None:
        """Mark a track's speakers as settled: its stable turns become final with their words."""
        self._settled_tracks.add(track)
        self._mark_newly_final(track)

    def has_settled_speakers(self, track: int) -> bool:
        """Return whether the track's stable turns become final with their words."""
        return track in self._settled_tracks

    def mark_words_final(self, track: int, through_us: int) -> None:
        """Mark words of the track that end at or before ``through_us``, in meeting time, as final."""
        if through_us > self.words_final_through_us(track):
            self._final_words_us[track] = through_us
            self._mark_newly_final(track)

    def _mark_newly_final(self, track: int) -> None:
        for id_, turn in self._current.items() if track in self._settled_tracks else ():
            published = self._published.get(id_)
            is_published_final = published is not None and published.state == pb.LIVE_TURN_STATE_FINAL
            if turn.track == track and not is_published_final and self._is_final(turn):
                self._dirty.add(id_)

    def _is_final(self, turn: TurnSnapshot) -> bool:
        if turn.state != TurnState.STABLE or turn.track not in self._settled_tracks:
            return False
        # Compare published times, so that turns agree with the watermark.
        return to_ms(turn.end_us) <= self.words_final_through_us(turn.track) // 1000

    def ignore(self, track: int) -> None:
        """Retract all turns of a track and drop later ones."""
        self._ignored.add(track)
        for id_, turn in self._current.items():
            if turn.track == track and turn.state != TurnState.RETRACTED:
                self._current[id_] = replace(turn, state=TurnState.RETRACTED, words=())
                self._dirty.add(id_)

    # Current state

    def segments(self) -> list[Segment]:
        """Return the current turns as segments, in time order."""
        segments = [turn.segment() for turn in self._current.values() if turn.state != TurnState.RETRACTED]
        return sorted(segments, key=lambda s: (s.start_us, s.end_us, s.segment_id))

    def turns_through_us(self, track: int) -> int:
        """Return the end of the last published turn of a track, microseconds."""
        return 1000 * max((turn.end_ms for turn in self._published_turns(track)), default=0)

    def words_final_through_us(self, track: int) -> int:
        """Return the meeting time up to which the track's words are final, microseconds."""
        return self._final_words_us.get(track, 0)

    def words_through_us(self, track: int) -> int:
        """Return up to where words of a track are published, microseconds: the end of the last published word or
        complete turn.
        """
        complete_states = (pb.LIVE_TURN_STATE_STABLE, pb.LIVE_TURN_STATE_FINAL)
        published = [
            (turn, turn.end_ms if turn.state in complete_states else 0) for turn in self._published_turns(track)
        ]
        return 1000 * max((max([end, *(word.end_ms for word in turn.words)]) for turn, end in published), default=0)

    def _published_turns(self, track: int) -> Iterable[pb.LiveTurn]:
        live_track = self._config.tracks[track]
        return (
            t for t in self._published.values() if (t.track_id, t.channel) == (live_track.track_id, live_track.channel)
        )

    def first_start_us(self, track: int) -> int | None:
        """Return the start of a track's first turn, microseconds; None if there is none."""
        return self.first_open_us(track, set(TurnState) - {TurnState.RETRACTED})

    def first_open_us(self, track: int, states: Iterable[TurnState]) -> int | None:
        """Return the start of a track's first turn in one of these states, microseconds; None if there is none."""
        wanted = set(states)
        return min((t.start_us for t in self._current.values() if t.track == track and t.state in wanted), default=None)

    def speaker_id(self, number: int) -> str:
        """Return a speaker's UUID; the nil UUID for the unknown speaker."""
        return UNKNOWN_SPEAKER_ID if number == UNKNOWN_SPEAKER else str(speaker_id(self._meeting_id, number))

    def alias(self, number: int) -> str:
        """Return a speaker's display name."""
        if number == UNKNOWN_SPEAKER:
            return "Unknown"
        return self._names.get(number, f"Speaker {number}")

    def name(self, names: dict[int, str]) -> None:
        """Adopt the speaker names of the finished meeting."""
        self._names.update(names)

    def max_mixed_speakers(self) -> int:
        """Return the highest number of speakers on any MIXED track."""
        voices: defaultdict[int, set[int]] = defaultdict(set)
        for turn in self._current.values():
            if turn.state != TurnState.RETRACTED and not is_participant_track(self._config, turn.track):
                voices[turn.track].add(turn.speaker)
        return max((len(numbers - {UNKNOWN_SPEAKER}) for numbers in voices.values()), default=0)

    # Published state

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore published turns from stored events; words published as final stay final."""
        numbers: dict[str, int] = {UNKNOWN_SPEAKER_ID: UNKNOWN_SPEAKER}
        for event in events:
            if event.WhichOneof("event") == "watermark":
                for index in set(range(len(self._config.tracks))) - self._late_tracks:
                    self.mark_words_final(index, 1000 * event.watermark.words_final_through_ms)
            if event.WhichOneof("event") == "warning" and event.warning.code == pb.WARNING_CODE_LATE_AUDIO:
                # The watermark says nothing of its words any more: its turns do.
                self._late_tracks.add(self._config.track_index(event.warning.track_id, event.warning.channel))
            if event.WhichOneof("event") != "turn":
                continue
            turn = event.turn
            self._published[turn.segment_id] = turn
            track = self._config.track_index(turn.track_id, turn.channel)
            if turn.state == pb.LIVE_TURN_STATE_FINAL:
                self.final_tracks.add(track)
                self.mark_words_final(track, 1000 * turn.end_ms)
            words = tuple(
                Word(w.text, w.start_ms * 1000, w.end_ms * 1000, w.confidence if w.HasField("confidence") else None)
                for w in turn.words
            )
            self._current[turn.segment_id] = TurnSnapshot(
                turn.segment_id,
                track,
                TurnState(turn.state),
                self._speaker_number(turn.speaker_id, numbers),
                turn.start_ms * 1000,
                turn.end_ms * 1000,
                words,
            )

    def _speaker_number(self, id_: str, numbers: dict[str, int]) -> int:
        # Ids are derived from numbers: enumerating a few finds the match.
        while id_ not in numbers:
            numbers[self.speaker_id(len(numbers))] = len(numbers)
        return numbers[id_]

    def limit_words_final(self, track: int, through_us: int) -> None:
        """Take words of a restored track as final up to ``through_us`` at most: the watermark passes silent tracks."""
        if self.words_final_through_us(track) > through_us:
            self._final_words_us[track] = through_us

    def changes(self) -> list[pb.LiveEvent]:
        """Return events for the changes since the last call, and mark them as published."""
        changed: list[tuple[pb.LiveTurn | None, pb.LiveTurn]] = []
        for id_ in self._dirty:
            published, turn = self._published.get(id_), self._message(self._current[id_])
            if published is None:
                if turn.state != pb.LIVE_TURN_STATE_RETRACTED:
                    changed.append((None, turn))
                continue
            turn.revision = published.revision
            # A final turn is never revised: the watermark has passed it.
            if turn != published and published.state != pb.LIVE_TURN_STATE_FINAL:
                changed.append((published, turn))
        self._dirty.clear()
        changed.sort(key=lambda change: (change[1].start_ms, change[1].segment_id))
        events = [pb.LiveEvent(speaker_revision=revision) for revision in self._revisions(changed)]
        for published, turn in changed:
            turn.revision = published.revision + 1 if published else 1
            self._published[turn.segment_id] = turn
            if turn.state == pb.LIVE_TURN_STATE_FINAL:
                self.final_tracks.add(self._current[turn.segment_id].track)
            events.append(pb.LiveEvent(turn=turn))
        return events

    def final_changes(self, conversation: Conversation) -> list[pb.LiveEvent]:
        """As ``changes``, for the finished meeting: every turn becomes final or is retracted."""
        tracks = len(self._config.tracks)
        final = {s.segment_id for s in conversation.segments}
        for id_ in set(self._current) - final:
            self._current[id_] = replace(self._current[id_], state=TurnState.RETRACTED, words=())
        for s in conversation.segments:
            track = segment_track_index(s.segment_id, tracks)
            self._current[s.segment_id] = TurnSnapshot(
                s.segment_id, track, TurnState.FINAL, s.speaker, s.start_us, s.end_us, s.words
            )
        self._dirty = set(self._current)
        return self.changes()

    def _revisions(self, changed: list[tuple[pb.LiveTurn | None, pb.LiveTurn]]) -> list[pb.SpeakerRevision]:
        """Return the speaker revisions of stable turns: reassigned, merged or split."""
        reassigned: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for published, turn in changed:
            if published is None or UNKNOWN_SPEAKER_ID in (published.speaker_id, turn.speaker_id):
                continue
            is_stable = published.state == pb.LIVE_TURN_STATE_STABLE and turn.state != pb.LIVE_TURN_STATE_RETRACTED
            if is_stable and published.speaker_id != turn.speaker_id:
                reassigned[published.speaker_id, turn.speaker_id].append(turn.segment_id)
        if not reassigned:
            return []
        before = {turn.speaker_id for turn in self._published.values() if turn.state != pb.LIVE_TURN_STATE_RETRACTED}
        after = {self.speaker_id(t.speaker) for t in self._current.values() if t.state != TurnState.RETRACTED}
        revisions = []
        successors = Counter(old for old, _ in reassigned)
        for (old, new), ids in sorted(reassigned.items()):
            kind = pb.REVISION_KIND_REASSIGN
            if old not in after and successors[old] == 1:
                kind = pb.REVISION_KIND_MERGE
            elif new not in before:
                kind = pb.REVISION_KIND_SPLIT
            revisions.append(
                pb.SpeakerRevision(from_speaker_id=old, to_speaker_id=new, kind=kind, segment_ids=sorted(ids))
            )
        return revisions

    def _message(self, turn: TurnSnapshot) -> pb.LiveTurn:
        state = TurnState.FINAL if self._is_final(turn) else turn.state
        return pb.LiveTurn(
            segment_id=turn.segment_id,
            state=pb.LiveTurnState.ValueType(state),
            speaker_id=self.speaker_id(turn.speaker),
            alias=self.alias(turn.speaker),
            track_id=self._config.tracks[turn.track].track_id,
            channel=self._config.tracks[turn.track].channel,
            start_ms=to_ms(turn.start_us),
            end_ms=to_ms(turn.end_us),
            words=[
                pb.LiveWord(text=w.text, start_ms=to_ms(w.start_us), end_ms=to_ms(w.end_us), confidence=w.confidence)
                for w in turn.words
            ],
        )


def to_ms(us: int) -> int:
    """Round microseconds to whole milliseconds, the unit of events."""
    return round(us / 1000)


def is_participant_track(config: LiveConfig, track: int) -> bool:
    """Return whether the track carries a single known person."""
    return config.tracks[track].kind is TrackKind.PARTICIPANT
