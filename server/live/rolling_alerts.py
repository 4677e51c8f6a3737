"""Alerts of measures while a meeting runs: its conversation so far is looked at again and again."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence, Set

from meetra.inference.v2 import session_pb2
from meetra.v1 import live_pb2 as pb

from server.conversation import (
    Conversation,
    EngineCapabilities,
    Interval,
    Segment,
    find_utterances,
    merge_intervals,
    segment_track_index,
    speakers_by_first_speech,
)
from server.insights import Timeline
from server.live.config import MAX_TRACKS, LiveConfig
from server.live.insights import RollingTimeline
from server.live.metric_alerts import KnownConversation
from server.live.published_state import PublishedState
from server.live.rules import RuleKind
from server.live.track_feed import TrackFeed
from server.live.turns import is_participant_track
from server.media import RATE_HZ

# A track that is less behind its audio, samples, is up to date: the engine works in blocks.
UP_TO_DATE_SAMPLES = RATE_HZ
# At most this share of the time goes into looking.
SHARE_OF_TIME = 0.05


class RollingAlerts:
    """Look at what is known of one meeting, and tell what its rules find."""

    def __init__(
        self, config: LiveConfig, feeds: Sequence[TrackFeed], published: PublishedState, timelines: RollingTimeline
    ) -> None:
        """``timelines``: analyses the sentences of the meeting."""
        self._config, self._feeds, self._timelines = config, feeds, timelines
        self._turns, self._metrics = published.turns, published.alerts.metrics
        self._needs_sentences = any(rule.kind is RuleKind.SENTIMENT for rule in self._metrics.rules)
        self._next_at = 0.0

    async def update(
        self, engine: session_pb2.Capabilities | None, ignored: Collection[int], late: Set[int]
    ) -> list[pb.LiveEvent]:
        """Return the alerts that are due.

        Args:
            engine: its reported capabilities; None while no engine has been reached.
            ignored: tracks that are excluded from everything.
            late: tracks whose audio comes after the fact.
        """
        began = time.monotonic()
        if not self._metrics.rules or began < self._next_at:
            return []
        # A track that no engine takes on comes late, and holds back nothing of the others.
        late = late | {index for index, feed in enumerate(self._feeds) if feed.is_unheard}
        heard = [index for index in range(len(self._feeds)) if index not in ignored and index not in late]
        if any(map(self._turns.is_catching_up, heard)):
            return []
        known = await self._known(engine, heard, ignored, late)
        found = await asyncio.to_thread(self._metrics.find, known)
        self._next_at = time.monotonic() + (time.monotonic() - began) / SHARE_OF_TIME
        return [pb.LiveEvent(alert=alert) for alert in self._metrics.tell(found)]

    async def _known(
        self,
        engine: session_pb2.Capabilities | None,
        heard: Collection[int],
        ignored: Collection[int],
        late: Set[int],
    ) -> KnownConversation:
        turns_us, words_us = known_through_us(self._feeds, heard)
        participants = {
            index: self._config.speaker_number(index, 1)
            for index in range(len(self._feeds))
            if is_participant_track(self._config, index) and index not in ignored
        }
        expected = {
            number: self._config.tracks[index].start_us
            for index, number in participants.items()
            if self._config.tracks[index].participant_name
        }
        segments, open_since_us = self._turns.segments(), self._turns.open_since_us()
        if self._needs_sentences:
            languages = tuple(engine.languages) if engine is not None else ()
            timeline = await self._timelines.build(segments, turns_us, EngineCapabilities(languages=languages))
        else:
            timeline = await asyncio.to_thread(speech_timeline, segments, turns_us)
        speech = merge_intervals(Interval(segment.start_us, segment.end_us) for segment in segments)
        # Who has left is not expected to speak, the voices of a room that has left included.
        gone = late | {index for index, track in enumerate(self._config.tracks) if track.ended}
        left_out = {participants[index] for index in participants.keys() & gone} | speakers_only_on(segments, gone)
        return KnownConversation(timeline, speech, turns_us, words_us, expected, open_since_us, left_out)


def known_through_us(feeds: Sequence[TrackFeed], heard: Collection[int]) -> tuple[int, int]:
    """Return up to where turns, and words, of all these tracks are known, microseconds.

    A track that sends nothing is known up to where the others are; one without audio yet tells nothing, also where it
    starts later than the meeting has come.
    """
    ends: list[tuple[int, int]] = []
    behind_turns: list[int] = []
    behind_words: list[int] = []
    for index in heard:
        feed = feeds[index]
        if not feed.has_audio:
            continue
        turns_us, words_us = feed.turns_through_us(), feed.words_through_us()
        ends.append((turns_us, words_us))
        if feed.lag_samples() > UP_TO_DATE_SAMPLES:
            behind_turns.append(turns_us)
        if feed.words_lag_samples() > UP_TO_DATE_SAMPLES:
            behind_words.append(words_us)
    now_us = max((turns_us for turns_us, _ in ends), default=0)
    turns_us = min([now_us, *behind_turns])
    return turns_us, min([turns_us, *behind_words])


def speakers_only_on(segments: Iterable[Segment], tracks: Collection[int]) -> set[int]:
    """Return the speakers who have spoken on these tracks, and on no other."""
    heard_on: defaultdict[int, set[int]] = defaultdict(set)
    for segment in segments:
        heard_on[segment.speaker].add(segment_track_index(segment.segment_id, MAX_TRACKS))
    return {speaker for speaker, indices in heard_on.items() if indices.issubset(tracks)}


def speech_timeline(segments: Sequence[Segment], through_us: int) -> Timeline:
    """Return the timeline of who speaks when, without what is said."""
    speakers = speakers_by_first_speech(segments)
    conversation = Conversation(through_us, speakers, tuple(segments), EngineCapabilities())
    utterances = find_utterances(conversation)
    return Timeline(
        duration_us=through_us,
        speakers=speakers,
        speech={speaker: conversation.speech(speaker) for speaker in speakers},
        activations=(None,) * len(utterances),
        utterances=utterances,
        sentences=(),
        phrases=(),
    )
