"""What the stored events of a live meeting tell so far, as the conversation that scores and texts are computed from.

It is made of what was published alone: redacted as the meeting is, in any process, and with nothing that the events do
not tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from meetra.v1 import live_pb2 as pb

from server.conversation import (
    UNKNOWN_SPEAKER,
    Conversation,
    EngineCapabilities,
    Segment,
    most_spoken_language,
    primary_tag,
    speakers_by_first_speech,
    speech_us_by_language,
    weighted_confidence,
)
from server.live.config import LiveConfig
from server.live.speaker_names import UNKNOWN_SPEAKER_ID
from server.live.word_messages import words_of
from server.storage import LiveRow, SpeakerRow, live_names, speaker_id

Track = tuple[str, int]
"""Id of the source and channel."""


class PublishedMeeting:
    """The turns, speakers, languages and watermark that the events of a meeting have told."""

    def __init__(self, row: LiveRow) -> None:
        self.last_seq = 0
        """The last event that was applied."""
        self.through_ms = 0
        """Up to where anything is known, milliseconds."""
        self.words_final_through_ms = 0
        self._row = row
        self._turns: dict[int, tuple[int, pb.LiveTurn]] = {}  # by segment id, with the number of the event
        self._languages: defaultdict[Track, list[tuple[int, pb.LiveLanguage]]] = defaultdict(list)
        self._aliases: dict[str, str] = {}  # by speaker id
        self._numbers = {UNKNOWN_SPEAKER_ID: UNKNOWN_SPEAKER}

    def apply(self, events: Iterable[pb.LiveEvent]) -> None:
        """Apply further events, in order."""
        for event in events:
            kind = event.WhichOneof("event")
            if kind == "turn":
                self._apply_turn(event.event_seq, event.turn)
            elif kind == "insights":
                self.through_ms = max(self.through_ms, event.insights.through_ms)
                self._aliases.update((speaker.speaker_id, speaker.alias) for speaker in event.insights.speakers)
            elif kind == "speaker_name":
                self._aliases[event.speaker_name.speaker_id] = event.speaker_name.alias
            elif kind == "watermark":
                self.words_final_through_ms = event.watermark.words_final_through_ms
                self.through_ms = max(self.through_ms, self.words_final_through_ms)
            elif kind == "language":
                track = event.language.track_id, event.language.channel
                self._languages[track].append((event.event_seq, event.language))
            self.last_seq = event.event_seq

    def _apply_turn(self, event_seq: int, turn: pb.LiveTurn) -> None:
        if turn.state == pb.LIVE_TURN_STATE_RETRACTED:
            self._turns.pop(turn.segment_id, None)
            return
        self._turns[turn.segment_id] = event_seq, turn
        self._aliases[turn.speaker_id] = turn.alias
        self.through_ms = max(self.through_ms, turn.end_ms, *(word.end_ms for word in turn.words))

    def conversation(self, config: LiveConfig, engine: EngineCapabilities) -> Conversation:
        """Return the conversation so far, without sentences. What only the end of a meeting has is missing: acoustics.

        Args:
            config: the meeting's, as it is now.
            engine: what the engine can measure.
        """
        segments = sorted(
            (self._segment(config, event_seq, turn) for event_seq, turn in self._turns.values()),
            key=lambda segment: (segment.start_us, segment.end_us, segment.segment_id),
        )
        language = most_spoken_language(speech_us_by_language(segments))
        return Conversation(
            self.through_ms * 1000,
            speakers_by_first_speech(segments),
            tuple(segments),
            engine,
            language=language,
            language_confidence=self._confidence(config, language),
        )

    def _segment(self, config: LiveConfig, event_seq: int, turn: pb.LiveTurn) -> Segment:
        words = words_of(turn)
        return Segment(
            turn.segment_id,
            self._number(config, turn.speaker_id),
            turn.start_ms * 1000,
            turn.end_ms * 1000,
            words,
            language=(turn.language or self._language(config, event_seq, turn)) if words else "",
        )

    def _number(self, config: LiveConfig, id_: str) -> int:
        # Ids are derived from numbers: enumerating a few finds the match.
        while id_ not in self._numbers and len(self._numbers) <= live_names.LABELS_PER_TRACK * len(config.tracks):
            number = len(self._numbers)
            self._numbers[str(speaker_id(self._row.meeting_id, number))] = number
        return self._numbers.get(id_, UNKNOWN_SPEAKER)

    def _language(self, config: LiveConfig, event_seq: int, turn: pb.LiveTurn) -> str:
        """Return the language of a turn that names none: its track's when it was told, or the first that was known."""
        told = self._languages.get((turn.track_id, turn.channel), ())
        before = [language.language for number, language in told if number <= event_seq]
        first = told[0][1].language if told else primary_tag(config.language)
        return before[-1] if before else first

    def _confidence(self, config: LiveConfig, language: str) -> float | None:
        spoken: Counter[Track] = Counter()
        for _, turn in self._turns.values():
            spoken[turn.track_id, turn.channel] += turn.end_ms - turn.start_ms
        last = {track: told[-1][1] for track, told in self._languages.items()}
        return weighted_confidence(
            (reported.confidence, spoken[track])
            for track, reported in last.items()
            if reported.language == language and reported.HasField("confidence")
        )

    def speakers(
        self, config: LiveConfig, conversation: Conversation, given: Mapping[int, str]
    ) -> tuple[SpeakerRow, ...]:
        """Return who has spoken, in the order of their numbers, by the names that were told last.

        Args:
            given: names given by hand, by number.
        """
        rows = []
        participants = config.participant_names()
        for number in sorted(conversation.speakers):
            id_ = speaker_id(self._row.meeting_id, number)
            alias = given.get(number) or self._aliases.get(str(id_), f"Speaker {number}")
            source = "hand" if number in given else "track" if alias == participants.get(number) else "number"
            rows.append(SpeakerRow(number, id_, alias, source))
        return tuple(rows)
