"""The published state of a live meeting, and the changes to publish next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from uuid import UUID

from meetra.v1 import live_pb2 as pb

from server.conversation import Conversation, TurnState
from server.live.alerts import MeetingAlerts
from server.live.config import LiveConfig
from server.live.hearing import Hearing
from server.live.languages import LiveLanguages
from server.live.metric_alerts import NamedSpeaker
from server.live.optional_feature import OptionalFeature
from server.live.speech_flow import SpeechFlow
from server.live.track_states import PublishedTracks
from server.live.turns import MeetingTurns, is_participant_track


class PublishedState:
    """Tracks, names, turns, their ends, pauses, languages, the watermark and alerts; each change is published once."""

    def __init__(self, config: LiveConfig, meeting_id: UUID) -> None:
        self.config = config
        self.turns = MeetingTurns(config, meeting_id)
        self.languages = LiveLanguages(config)
        self._tracks = PublishedTracks(config)
        self._flow = SpeechFlow(config)
        self._watermark = PublishedWatermark()
        self.alerts = MeetingAlerts(config, self._named)
        self._flow_feature = OptionalFeature("telling of ends of turns and of pauses", meeting_id)
        self.alerts_feature = OptionalFeature("telling of alerts", meeting_id)
        self.is_finished = False
        """Whether the last event was published before a restart."""

    def _named(self, number: int) -> NamedSpeaker:
        track = self.config.participant_track(number)
        place = (track.track_id, track.channel) if track is not None else ("", 0)
        return NamedSpeaker(self.turns.speaker_id(number), self.turns.alias(number), *place)

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore the published state from stored events; may be called repeatedly with consecutive batches."""
        events = list(events)
        self.turns.restore(events)
        self.languages.restore(events)
        self._tracks.restore(events)
        self._flow_feature.do(partial(self._flow.restore, events))
        self._watermark.restore(events)
        self.alerts_feature.do(partial(self.alerts.restore, events))
        self.is_finished |= any(event.WhichOneof("event") == "finished" for event in events)

    @property
    def words_final_through_us(self) -> int:
        """Up to where words were published as final, and perhaps all else, microseconds."""
        return self._watermark.published.words_final_through_ms * 1000

    def changes(
        self,
        ignored: Collection[int],
        uncovered: Collection[int] = (),
        listen: Callable[[], Sequence[Hearing]] = tuple,
    ) -> list[pb.LiveEvent]:
        """Return events for all changes since the last call, and mark them as published.

        Args:
            ignored: tracks that are excluded from everything.
            uncovered: tracks that the watermark does not wait for.
            listen: returns how far each track is heard; without that neither ends of turns nor pauses are told.
        """
        tracks, names = self._tracks.changes(), self.turns.names.changes()
        turns = self.turns.changes()
        flow = self._flow_feature.tell(partial(self._flow_changes, turns, listen))
        watermark = compute_watermark(self.config, self.turns, {*ignored, *uncovered})
        return [*tracks, *names, *self.languages.changes(ignored), *turns, *flow, *self._watermark.changes(watermark)]

    def final_changes(self, conversation: Conversation) -> list[pb.LiveEvent]:
        """As ``changes``, for the finished meeting: everything is final."""
        turns = self.turns.final_changes(conversation)
        return [*turns, *self._flow_feature.tell(partial(self._last_flow, turns, conversation.duration_us // 1000))]

    def follow_alerts(self, events: Sequence[pb.LiveEvent]) -> list[pb.LiveEvent]:
        """Return the alerts that follow from events, to be stored with them."""
        return self.alerts_feature.tell(partial(self.alerts.follow, events))

    def _flow_changes(
        self, turns: Sequence[pb.LiveEvent], listen: Callable[[], Sequence[Hearing]]
    ) -> list[pb.LiveEvent]:
        self._flow.note(turns)
        hearings = listen()
        return self._flow.changes(self.turns.has_ended, hearings) if hearings else []

    def _last_flow(self, turns: Sequence[pb.LiveEvent], duration_ms: int) -> list[pb.LiveEvent]:
        self._flow.note(turns)
        return self._flow.conclude(duration_ms)


class PublishedWatermark:
    """The last published watermark; it never decreases."""

    def __init__(self) -> None:
        self.published = pb.Watermark()

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore the published watermark from stored events."""
        for event in events:
            if event.WhichOneof("event") == "watermark":
                self.published = event.watermark

    def changes(self, current: pb.Watermark) -> list[pb.LiveEvent]:
        """Return an event if the watermark has advanced, and mark it as published."""
        previous = self.published
        final = max(previous.final_through_ms, current.final_through_ms)
        words = max(previous.words_final_through_ms, current.words_final_through_ms, final)
        self.published = pb.Watermark(final_through_ms=final, words_final_through_ms=words)
        return [pb.LiveEvent(watermark=self.published)] if self.published != previous else []


def compute_watermark(config: LiveConfig, turns: MeetingTurns, uncovered: Collection[int]) -> pb.Watermark:
    """Return up to where turns with speakers and words are final, and words alone, on all tracks but ``uncovered``."""
    final_ends, word_ends = [], []
    for index, track in enumerate(config.tracks):
        if index in uncovered:
            continue
        # There is no speech before a track starts.
        words_end = max(turns.words_final_through_us(index), track.start_us)
        open_words = turns.first_open_us(index, {TurnState.PARTIAL})
        held_words = turns.held_from_us(index)
        word_ends.append(min(us for us in (words_end, open_words, held_words) if us is not None))
        if not is_participant_track(config, index):
            final_ends.append(0)
        elif turns.has_settled_speakers(index):
            final_ends.append(word_ends[-1])
        else:
            # Who has said nothing has said nothing that may change.
            first = turns.first_start_us(index)
            final_ends.append(word_ends[-1] if first is None else min(first, word_ends[-1]))
    return pb.Watermark(
        final_through_ms=min(final_ends, default=0) // 1000, words_final_through_ms=min(word_ends, default=0) // 1000
    )
