"""The turns of a live meeting: their current state, and the state published to clients.

The engine reports turns per track, by numbers of its own; after each complete update the difference to the published
segments becomes events. A restarted engine (or server) repeats everything: its turns are held back until it has caught
up, then compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import (
    PLACEHOLDER,
    UNKNOWN_SPEAKER,
    Conversation,
    Segment,
    TurnState,
    segment_track_index,
)
from server.live.config import MAX_TRACKS, LiveConfig, TrackKind
from server.live.redaction import LiveRedaction
from server.live.segment_ids import ENDED, SegmentIds
from server.live.speaker_names import UNKNOWN_SPEAKER_ID, SpeakerNames
from server.live.speaker_revisions import speaker_revisions
from server.live.turn_snapshot import TurnSnapshot
from server.live.word_messages import become_final, final_words_through_us, to_ms, word_messages, words_of

# Moments of a meeting, microseconds.
ALL_TIME = range(-(2**62), 2**62)
# Turns of the last so many microseconds are sent again when their speaker is called differently; live.proto says so.
NAMED_AGAIN_US = 120_000_000


class MeetingTurns:
    """All turns of one meeting, current and published."""

    def __init__(self, config: LiveConfig, meeting_id: UUID) -> None:
        self._config = config
        self._current: dict[int, TurnSnapshot] = {}  # by the engine's number; never retracted ones
        self._published: dict[int, pb.LiveTurn] = {}  # by segment id
        self._ids = SegmentIds()
        self._segment_of: dict[int, int] = {}  # segment ids of published turns, by the engine's number
        self._ended: set[int] = set()  # published segments whose speech has ended
        self._kept: set[int] = set()  # final segments that no engine's turn stands for any more
        self._catching_up: dict[int, dict[int, TurnSnapshot]] = {}  # by track index
        self._repeated: dict[int, range] = {}  # by track index: where turns held back begin
        self._dirty: set[int] = set()
        self._redaction = LiveRedaction(config)
        self.names = SpeakerNames(config, meeting_id)
        self._settled_tracks: set[int] = set()  # tracks whose stable turns become final with their words
        self._final_words_us: dict[int, int] = {}  # by track index: words are final up to here
        self._judged_us: dict[int, int] = {}  # by track index: its turns are its own up to here
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
        if held_back is not None and _begins_in(turn, self._repeated[turn.track]):
            held_back[turn.segment_id] = turn
            return
        self._put(turn)

    def _put(self, turn: TurnSnapshot) -> None:
        if turn.state == TurnState.RETRACTED:
            self._current.pop(turn.segment_id, None)
        else:
            self._current[turn.segment_id] = turn
        self._dirty.add(turn.segment_id)

    def start_catch_up(self, track: int, span: range = ALL_TIME) -> None:
        """Hold back the track's turns that begin in a span, microseconds: an engine starts over from its beginning."""
        self._catching_up[track] = {}
        self._repeated[track] = span

    def finish_catch_up(self, track: int) -> None:
        """Release the held turns of a track and retract current turns that the new engine did not repeat."""
        held_back = self._catching_up.pop(track, None)
        if held_back is None:
            return
        self._replace(track, self._repeated[track], held_back.values())

    def close_part(self, track: int, span: range, turns: Iterable[TurnSnapshot]) -> None:
        """Set all turns of a track that begin in a span: they are what an analysis of its own ended with."""
        if track not in self._ignored:
            self._catching_up.pop(track, None)
            self._replace(track, span, turns)

    def _replace(self, track: int, span: range, turns: Iterable[TurnSnapshot]) -> None:
        self._drop(track, span)
        for turn in turns:
            self._put(turn)

    def _drop(self, track: int, span: range = ALL_TIME) -> None:
        dropped = {n for n, turn in self._current.items() if turn.track == track and _begins_in(turn, span)}
        for number in dropped:
            del self._current[number]
        self._dirty |= dropped

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
        before_us = self.words_final_through_us(track)
        if through_us > before_us:
            self._final_words_us[track] = through_us
            for number, turn in self._current.items():
                if turn.track == track and become_final(turn.words, before_us, through_us):
                    self._dirty.add(number)
            self._mark_newly_final(track)

    def mark_heard(self, track: int, through_us: int) -> None:
        """Record up to where the track's audio has been analysed, in meeting time."""
        self._redaction.mark_heard(track, through_us)

    def mark_paused(self, track: int, through_us: int) -> None:
        """Record that a long pause ended what the track had said up to then, in meeting time: nothing is held back."""
        self._redaction.mark_paused(track, through_us)

    def mark_judged(self, track: int, through_us: int) -> None:
        """Record up to where the track's turns are known to be its own, in meeting time; later ones are not final."""
        previous_us = self._judged_us.get(track, ALL_TIME.stop)
        self._judged_us[track] = through_us
        if through_us > previous_us:
            self._mark_newly_final(track)

    def held_from_us(self, track: int) -> int | None:
        """Return the start of the track's first word that is held back, because it may become something redacted."""
        return self._redaction.held_from_us(track)

    def _mark_newly_final(self, track: int) -> None:
        for number, turn in self._current.items() if track in self._settled_tracks else ():
            if turn.track == track and not self._is_published_final(number) and self._is_final(turn):
                self._dirty.add(number)

    def _is_final(self, turn: TurnSnapshot) -> bool:
        if turn.state == TurnState.FINAL:
            return True
        if turn.state != TurnState.STABLE or turn.track not in self._settled_tracks:
            return False
        if self._redaction.holds_back(turn.segment_id):
            return False
        # Compare published times, so that turns agree with the watermark.
        final_us = min(self.words_final_through_us(turn.track), self._judged_us.get(turn.track, ALL_TIME.stop))
        return to_ms(turn.end_us) <= final_us // 1000

    def ignore(self, track: int) -> None:
        """Retract all turns of a track and drop later ones."""
        self._ignored.add(track)
        self._drop(track)

    # Current state

    def segments(self) -> list[Segment]:
        """Return the current turns as segments, redacted, in time order."""
        self._dirty |= self._redaction.update(self._current, self._dirty)
        segments = [replace(turn.segment(), words=self._redaction.words(turn)) for turn in self._current.values()]
        return sorted(segments, key=lambda s: (s.start_us, s.end_us, s.segment_id))

    def turns_through_us(self, track: int) -> int:
        """Return the end of the last published turn of a track, microseconds."""
        return 1000 * max((turn.end_ms for turn in self._published_turns(track)), default=0)

    def words_final_through_us(self, track: int) -> int:
        """Return the meeting time up to which the track's words are final, microseconds."""
        return self._final_words_us.get(track, 0)

    def has_ended(self, segment_id: int) -> bool:
        """Return whether the speech of a published segment has ended, as far as is known."""
        return segment_id in self._ended

    def words_through_us(self, track: int) -> int:
        """Return up to where words of a track are published, microseconds: the end of the last published word or
        complete turn.
        """
        published = [(turn, turn.end_ms if turn.state in ENDED else 0) for turn in self._published_turns(track)]
        return 1000 * max((max([end, *(word.end_ms for word in turn.words)]) for turn, end in published), default=0)

    def _published_turns(self, track: int) -> Iterable[pb.LiveTurn]:
        live_track = self._config.tracks[track]
        return (
            t for t in self._published.values() if (t.track_id, t.channel) == (live_track.track_id, live_track.channel)
        )

    def first_start_us(self, track: int) -> int | None:
        """Return the start of a track's first turn, microseconds; None if there is none."""
        return self.first_open_us(track, TurnState)

    def first_open_us(self, track: int, states: Iterable[TurnState]) -> int | None:
        """Return the start of a track's first turn in one of these states, microseconds; None if there is none."""
        wanted = set(states)
        return min((t.start_us for t in self._current.values() if t.track == track and t.state in wanted), default=None)

    def open_since_us(self) -> dict[int, int]:
        """Return the start of each speaker's first turn that still grows, microseconds."""
        growing = [turn for turn in self._current.values() if not turn.has_ended]
        return {turn.speaker: turn.start_us for turn in sorted(growing, key=lambda t: t.start_us, reverse=True)}

    def speaker_id(self, number: int) -> str:
        """Return a speaker's UUID; the nil UUID for the unknown speaker."""
        return self.names.id(number)

    def alias(self, number: int) -> str:
        """Return a speaker's display name."""
        return self.names.alias(number)

    def speakers(self) -> dict[int, str]:
        """Return who has spoken so far, without the unknown speaker: display names by number, in order."""
        numbers = {turn.speaker for turn in self._current.values()} - {UNKNOWN_SPEAKER}
        return {number: self.alias(number) for number in sorted(numbers)}

    def name(self, names: Mapping[int, str]) -> None:
        """Adopt names of speakers: given while the meeting runs, or those of the finished meeting."""
        self._tell_again(self.names.give(names))

    def adopt_tracks(self, renamed: Iterable[int] = ()) -> None:
        """Adopt the config's tracks after a change of them: their names, which are redacted too.

        Args:
            renamed: numbers of speakers whose name given by hand counts no more.
        """
        self._dirty |= self._redaction.adopt_names(self._config, self._current)
        self._tell_again(self.names.take_back(renamed))

    def _tell_again(self, speakers: Collection[int]) -> None:
        """Publish the last turns of these speakers again, unless they are final: of all others the name is told."""
        if not speakers:
            return
        since_us = max((turn.end_us for turn in self._current.values()), default=0) - NAMED_AGAIN_US
        for number, turn in self._current.items():
            if turn.speaker in speakers and turn.end_us >= since_us and not self._is_published_final(number):
                self._dirty.add(number)

    def _is_published_final(self, number: int) -> bool:
        published = self._published.get(self._segment_of.get(number, 0))
        return published is not None and published.state == pb.LIVE_TURN_STATE_FINAL

    def max_mixed_speakers(self) -> int:
        """Return the highest number of speakers on any MIXED track."""
        voices: defaultdict[int, set[int]] = defaultdict(set)
        for turn in self._current.values():
            if not is_participant_track(self._config, turn.track):
                voices[turn.track].add(turn.speaker)
        return max((len(numbers - {UNKNOWN_SPEAKER}) for numbers in voices.values()), default=0)

    # Published state

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore published turns from stored events; words published as final stay final."""
        events = list(events)
        self.names.restore(events)
        for event in events:
            if event.WhichOneof("event") == "watermark":
                for index in set(range(len(self._config.tracks))) - self._late_tracks:
                    self._restore_final_words(index, 1000 * event.watermark.words_final_through_ms)
            if event.WhichOneof("event") == "warning" and event.warning.code == pb.WARNING_CODE_LATE_AUDIO:
                # The watermark says nothing of its words any more: its turns do.
                self._late_tracks.add(self._config.track_index(event.warning.track_id, event.warning.channel))
            if event.WhichOneof("event") != "turn":
                continue
            turn = event.turn
            self._published[turn.segment_id] = turn
            self._ids.record(turn)
            track = self._config.track_index(turn.track_id, turn.channel)
            self._restore_final_words(track, final_words_through_us(turn))
            if turn.state in ENDED:
                self._ended.add(turn.segment_id)
            if turn.state == pb.LIVE_TURN_STATE_FINAL:
                self.final_tracks.add(track)
                self._restore_final_words(track, 1000 * turn.end_ms)
            # The engine's number is unknown. No engine gives negative ones; the remainder tells the track.
            number = track - turn.segment_id * MAX_TRACKS
            self._segment_of[number] = turn.segment_id
            restored = TurnSnapshot(
                number,
                track,
                TurnState(turn.state),
                self.names.number(turn.speaker_id),
                turn.start_ms * 1000,
                turn.end_ms * 1000,
                words_of(turn),
                turn.language,
            )
            if turn.state == pb.LIVE_TURN_STATE_RETRACTED:
                self._current.pop(number, None)
                del self._segment_of[number]
            else:
                self._current[number] = restored

    def _restore_final_words(self, track: int, through_us: int) -> None:
        self._final_words_us[track] = max(through_us, self.words_final_through_us(track))

    def limit_words_final(self, track: int, through_us: int) -> None:
        """Take words of a restored track as final up to ``through_us`` at most: the watermark passes silent tracks."""
        if self.words_final_through_us(track) > through_us:
            self._final_words_us[track] = through_us

    def changes(self) -> list[pb.LiveEvent]:
        """Return events for the changes since the last call, and mark them as published."""
        self._dirty |= self._redaction.update(self._current, self._dirty)
        changed = self._changed_segments()
        self._dirty.clear()
        changed.sort(key=lambda change: (change[1].start_ms, change[1].segment_id))
        revisions = speaker_revisions(changed, self._published_speakers, self._current_speakers, UNKNOWN_SPEAKER_ID)
        events = [pb.LiveEvent(speaker_revision=revision) for revision in revisions]
        for published, turn in changed:
            turn.revision = published.revision + 1 if published else 1
            self._published[turn.segment_id] = turn
            self._ids.record(turn)
            self.names.record(turn)
            if turn.state == pb.LIVE_TURN_STATE_FINAL:
                self.final_tracks.add(self._config.track_index(turn.track_id, turn.channel))
            events.append(pb.LiveEvent(turn=turn))
        return events

    def _changed_segments(self) -> list[tuple[pb.LiveTurn | None, pb.LiveTurn]]:
        """Return the segments that differ from what is published, as published (None: new) and as they become."""
        turns = {number: self._message(self._current[number]) for number in self._dirty if number in self._current}
        known = {number: self._segment_of.pop(number) for number in self._dirty if number in self._segment_of}
        candidates = {id_: self._published[id_] for id_ in (*known.values(), *(self._kept if turns else ()))}
        matched = self._ids.match(turns, candidates.values(), known)
        changed: list[tuple[pb.LiveTurn | None, pb.LiveTurn]] = []
        for number, turn in sorted(turns.items(), key=lambda item: (item[1].start_ms, item[1].end_ms, item[0])):
            published = candidates.pop(matched[number]) if number in matched else None
            turn.segment_id = published.segment_id if published else self._ids.next()
            self._segment_of[number] = turn.segment_id
            if self._current[number].has_ended:
                self._ended.add(turn.segment_id)
            else:
                self._ended.discard(turn.segment_id)
            self._kept.discard(turn.segment_id)
            if published is None:
                changed.append((None, turn))
                continue
            turn.revision = published.revision
            if published.state in ENDED and turn.state == pb.LIVE_TURN_STATE_PARTIAL:
                turn.state = published.state
            if published.state == pb.LIVE_TURN_STATE_FINAL:
                # It is never revised, for the watermark has passed it, but to redact more of it, once that is known.
                turn.state = published.state
                if self._redaction.holds_back(number) or not _redacts_more(turn, published):
                    continue
            if turn != published:
                changed.append((published, turn))
        for published in candidates.values():
            if published.state == pb.LIVE_TURN_STATE_FINAL:
                self._kept.add(published.segment_id)
                continue
            retracted = pb.LiveTurn()
            retracted.CopyFrom(published)
            retracted.state = pb.LIVE_TURN_STATE_RETRACTED
            del retracted.words[:]
            changed.append((published, retracted))
        return changed

    def final_changes(self, conversation: Conversation) -> list[pb.LiveEvent]:
        """As ``changes``, for the finished meeting: every turn becomes final or is retracted."""
        # The stored conversation is redacted, by what the whole of it tells.
        self._redaction = LiveRedaction(replace(self._config, redact=""))
        for track in range(len(self._config.tracks)):
            self._drop(track)
        stride = self._stride(conversation)
        for s in conversation.segments:
            track = segment_track_index(s.segment_id, stride)
            final = TurnState.FINAL
            self._put(
                TurnSnapshot(s.segment_id, track, final, s.speaker, s.start_us, s.end_us, s.words, language=s.language)
            )
        return self.changes()

    def _stride(self, conversation: Conversation) -> int:
        """Return by how many tracks the segments of a finished meeting are numbered."""
        tracks = len(self._config.tracks)
        if any(segment_track_index(s.segment_id, MAX_TRACKS) >= tracks for s in conversation.segments):
            # Analysed by a version that numbered them by the tracks that there were.
            return tracks
        return MAX_TRACKS

    def _published_speakers(self) -> set[str]:
        return {turn.speaker_id for turn in self._published.values() if turn.state != pb.LIVE_TURN_STATE_RETRACTED}

    def _current_speakers(self) -> set[str]:
        return {self.speaker_id(number) for number in {turn.speaker for turn in self._current.values()}}

    def _message(self, turn: TurnSnapshot) -> pb.LiveTurn:
        """Return the turn as it is published, but for the id and the revision."""
        state = TurnState.FINAL if self._is_final(turn) else turn.state
        words_final_us = ALL_TIME.stop if state is TurnState.FINAL else self.words_final_through_us(turn.track)
        return pb.LiveTurn(
            state=pb.LiveTurnState.ValueType(state),
            speaker_id=self.speaker_id(turn.speaker),
            alias=self.alias(turn.speaker),
            track_id=self._config.tracks[turn.track].track_id,
            channel=self._config.tracks[turn.track].channel,
            start_ms=to_ms(turn.start_us),
            end_ms=to_ms(turn.end_us),
            words=word_messages(self._redaction.words(turn), words_final_us),
            language=turn.language,
        )


def _redacts_more(turn: pb.LiveTurn, published: pb.LiveTurn) -> bool:
    """Return whether a turn has more placeholders than it had."""
    now, before = (sum(bool(PLACEHOLDER.search(w.text)) for w in t.words) for t in (turn, published))
    return now > before


def _begins_in(turn: TurnSnapshot, span: range) -> bool:
    """Return whether a turn begins in a span, microseconds; by milliseconds, as restored turns have it."""
    return to_ms(span.start) <= to_ms(turn.start_us) < to_ms(span.stop)


def is_participant_track(config: LiveConfig, track: int) -> bool:
    """Return whether the track carries a single known person."""
    return config.tracks[track].kind is TrackKind.PARTICIPANT
