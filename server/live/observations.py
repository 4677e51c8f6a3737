"""Periodic observations of a live meeting: warnings and duplicate tracks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import combinations

from meetra.v1 import live_pb2 as pb

from server.audio import SILENCE_S, ChannelComparison, TrackComparison
from server.live.config import LiveConfig, LiveTrack, TrackKind
from server.live.track_feed import TrackFeed
from server.live.turns import MeetingTurns
from server.media import RATE_HZ

# Where more of a track is copied, seconds, its second voice may be that of another participant.
MAX_COPIED_S = 10.0
# Lag of turns and of words, seconds, beyond which clients are warned; it has passed once both are under the half.
TURNS_LAG_WARNING_S, WORDS_LAG_WARNING_S = 10.0, 20.0


class Warnings:
    """Emit each warning once when its condition begins, and again if it recurs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._active: set[tuple[int, str, int]] = set()
        self._clock = clock
        self._came: dict[tuple[str, int], tuple[int, float]] = {}
        """By track: the length of its log, bytes, and since when it has been so long."""

    @property
    def ending_announced(self) -> bool:
        """Whether the end of a meeting that nobody attends was announced."""
        return (pb.WARNING_CODE_ENDING, "", 0) in self._active

    def update(
        self, feeds: Sequence[TrackFeed], turns: MeetingTurns, *, ending: bool = False, behind: str = ""
    ) -> list[pb.LiveEvent]:
        """Return events for the warnings that begin now.

        Args:
            ending: nobody attends the meeting, which ends soon.
            behind: what it means, for people, that the object store lacks audio; empty where it does not.
        """
        active: dict[tuple[int, str, int], str] = {}
        for feed in feeds:
            track_key = feed.track.track_id, feed.track.channel
            if feed.sound.clipping:
                active[(pb.WARNING_CODE_CLIPPING, *track_key)] = "The audio clips: lower the microphone's gain."
            # Who only listens is silent from the beginning.
            silent = feed.sound.silent or self._is_cut_off(feed)
            if feed.sound.alive and silent and not feed.track.ended:
                noun = "channel" if feed.track.channel else "track"
                active[(pb.WARNING_CODE_SILENCE, *track_key)] = f"This {noun} has been silent for a minute."
            if feed.several_voices and not feed.track.ended and feed.copied_s < MAX_COPIED_S:
                noun = "channel" if feed.track.channel else "track"
                active[(pb.WARNING_CODE_SEVERAL_VOICES, *track_key)] = (
                    f"Several voices speak on this participant's {noun}: declare it MIXED, with the name of the room."
                )
            if feed.damaged:
                active[(pb.WARNING_CODE_UNDECODABLE, *track_key)] = (
                    "Some audio does not match the stated encoding; it is stored as received, but not analysed."
                )
        if late := self._late(feeds):
            active[pb.WARNING_CODE_LAG, "", 0] = (
                f"The analysis lags behind the audio: {late} are delayed, and nothing is lost."
            )
        if behind:
            active[pb.WARNING_CODE_STORE_BEHIND, "", 0] = behind
        if ending:
            active[pb.WARNING_CODE_ENDING, "", 0] = (
                "Nobody sends to or watches this meeting any more: it will be finished soon."
            )
        limit = max((feed.max_speakers for feed in feeds), default=0)
        if limit and turns.max_mixed_speakers() >= limit:
            active[pb.WARNING_CODE_TOO_MANY_SPEAKERS, "", 0] = (
                f"This engine distinguishes at most {limit} speakers on a track; further voices are assigned to these."
            )
        if any(feed.language_unknown for feed in feeds):
            active[pb.WARNING_CODE_LANGUAGE_UNKNOWN, "", 0] = (
                "The recogniser does not support the stated language: turns have no words."
            )
        started = {what: text for what, text in active.items() if what not in self._active}
        self._active = set(active)
        return [
            pb.LiveEvent(
                warning=pb.Warning(code=pb.WarningCode.ValueType(code), track_id=track, text=text, channel=channel)
            )
            for (code, track, channel), text in started.items()
        ]

    def _is_cut_off(self, feed: TrackFeed) -> bool:
        """Return whether nothing has come of the track for a minute."""
        key, now, received = (feed.track.track_id, feed.track.channel), self._clock(), feed.log.committed_bytes
        if self._came.get(key, (-1, now))[0] != received:
            self._came[key] = received, now
        return now - self._came[key][1] >= SILENCE_S

    def _late(self, feeds: Sequence[TrackFeed]) -> str:
        """Return what is late, for people; empty where nothing is.

        A lag that was warned of counts until it is under the half of the threshold: one that varies around it is one.
        """
        factor = 0.5 if (pb.WARNING_CODE_LAG, "", 0) in self._active else 1.0
        turns_s = max((feed.lag_samples() for feed in feeds), default=0) / RATE_HZ
        words_s = max((feed.words_lag_samples() for feed in feeds), default=0) / RATE_HZ
        if turns_s > factor * TURNS_LAG_WARNING_S:
            return "turns and words"
        return "words" if words_s > factor * WORDS_LAG_WARNING_S else ""


class DuplicateTrackDetector:
    """Find tracks that carry the audio of another track of the same kind."""

    def __init__(self, config: LiveConfig, ignored: Sequence[str]) -> None:
        self._config = config
        self.ignored = {index for index, track in enumerate(config.tracks) if track.key in ignored}
        self._pairs: dict[tuple[int, int], TrackComparison | ChannelComparison] = {}
        self._apart: set[tuple[int, int]] = set()
        """Pairs of which one ended before the other begins: neither is a copy of the other."""
        self.adopt_tracks()

    def adopt_tracks(self) -> None:
        """Adopt the config's tracks after some were added; not while ``detect`` runs."""
        tracks = self._config.tracks
        for a, b in combinations(range(len(tracks)), 2):
            if tracks[a].kind is tracks[b].kind and not {a, b} & self.ignored and (a, b) not in self._pairs:
                self._pairs[a, b] = _comparison(tracks[a], tracks[b])

    def detect(self, feeds: Sequence[TrackFeed], turns: MeetingTurns) -> list[tuple[int, int]]:
        """Return the duplicates found since the last call, as (duplicate, original) track indices."""
        found: list[tuple[int, int]] = []
        for (a, b), comparison in self._pairs.items():
            if comparison.same is None and not {a, b} & self.ignored and not self._are_apart(a, b, feeds):
                comparison.compare(feeds[a].sound, feeds[b].sound)
                if comparison.same:
                    found += self._exclude(a, b, turns)
        return found

    def _are_apart(self, a: int, b: int, feeds: Sequence[TrackFeed]) -> bool:
        """Return whether one of two tracks ended before the other begins, as when somebody comes back on a new one."""
        if (a, b) not in self._apart:
            for first, second in ((a, b), (b, a)):
                feed, begins_us = feeds[first], self._config.tracks[second].start_us
                # Only once all is heard it is known how long audio in a container is.
                over = self._config.tracks[first].ended and feed.is_closed
                # A track that begins now does so at a whole millisecond.
                if over and feed.audio_through_us() // 1000 <= begins_us // 1000:
                    self._apart.add((a, b))
        return (a, b) in self._apart

    def detect_final(self, feeds: Sequence[TrackFeed], turns: MeetingTurns) -> list[tuple[int, int]]:
        """As ``detect``, at the end of the audio: only then can channels of one source be compared."""
        found = self.detect(feeds, turns)
        for (a, b), comparison in self._pairs.items():
            if isinstance(comparison, ChannelComparison) and not {a, b} & self.ignored:
                comparison.decide()
                if comparison.same:
                    found += self._exclude(a, b, turns)
        return found

    def _exclude(self, a: int, b: int, turns: MeetingTurns) -> list[tuple[int, int]]:
        """Exclude the later one of two tracks with the same audio, or else the other: what is final stays."""
        for duplicate, original in ((b, a), (a, b)):
            if duplicate not in turns.final_tracks:
                self.ignored.add(duplicate)
                return [(duplicate, original)]
        return []

    def is_distinct(self, index: int) -> bool:
        """Return whether the track is known to duplicate none before it of its kind, ignored ones aside."""
        return all(comparison.same is False for comparison in self._with_earlier(index))

    def repeats_another_channel(self, index: int) -> bool:
        """Return whether the channel has carried the same as one before it so far: only the end can tell them apart."""
        return any(
            isinstance(comparison, ChannelComparison) and comparison.same is None and comparison.has_sound
            for comparison in self._with_earlier(index)
        )

    def _with_earlier(self, index: int) -> list[TrackComparison | ChannelComparison]:
        """Return the comparisons of a track with those before it of its kind that it may repeat, ignored ones aside."""
        pairs = {(a, b): c for (a, b), c in self._pairs.items() if b == index and a not in self.ignored}
        return [comparison for pair, comparison in pairs.items() if pair not in self._apart]


def _comparison(first: LiveTrack, second: LiveTrack) -> TrackComparison | ChannelComparison:
    if first.track_id == second.track_id:
        return ChannelComparison()
    shift_s = round((second.start_us - first.start_us) / 1e6)
    return TrackComparison(shift_s, participants=first.kind is TrackKind.PARTICIPANT)
