"""Periodic observations of a live meeting: warnings and duplicate tracks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from meetra.v1 import live_pb2 as pb

from server.audio import ChannelComparison, TrackComparison
from server.live.config import LiveConfig, LiveTrack, TrackKind
from server.live.track_feed import TrackFeed
from server.live.turns import MeetingTurns
from server.media import RATE_HZ

# Lag of the turns, seconds, from which clients are warned.
LAG_WARNING_S = 10.0


class Warnings:
    """Emit each warning once when its condition begins, and again if it recurs."""

    def __init__(self) -> None:
        self._active: set[tuple[int, str, int]] = set()

    def update(self, feeds: Sequence[TrackFeed], turns: MeetingTurns) -> list[pb.LiveEvent]:
        """Return events for the warnings that begin now."""
        active: dict[tuple[int, str, int], str] = {}
        for feed in feeds:
            track_key = feed.track.track_id, feed.track.channel
            if feed.sound.clipping:
                active[(pb.WARNING_CODE_CLIPPING, *track_key)] = "The audio clips: lower the microphone's gain."
            if feed.sound.silent:
                noun = "channel" if feed.track.channel else "track"
                active[(pb.WARNING_CODE_SILENCE, *track_key)] = f"This {noun} has been silent for a minute."
            if feed.damaged:
                active[(pb.WARNING_CODE_UNDECODABLE, *track_key)] = (
                    "Some audio does not match the stated encoding; it is stored as received, but not analysed."
                )
        if max((feed.lag_samples() for feed in feeds), default=0) > LAG_WARNING_S * RATE_HZ:
            active[pb.WARNING_CODE_LAG, "", 0] = (
                "The analysis lags behind the audio: events are delayed, and nothing is lost."
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


class DuplicateTrackDetector:
    """Find tracks that carry the audio of another track of the same kind."""

    def __init__(self, config: LiveConfig, ignored: Sequence[str]) -> None:
        self._config = config
        self.ignored = {index for index, track in enumerate(config.tracks) if track.key in ignored}
        self._pairs = {
            (a, b): _comparison(config.tracks[a], config.tracks[b])
            for a, b in combinations(range(len(config.tracks)), 2)
            if config.tracks[a].kind is config.tracks[b].kind and not {a, b} & self.ignored
        }

    def detect(self, feeds: Sequence[TrackFeed]) -> list[tuple[int, int]]:
        """Return the duplicates found since the last call, as (duplicate, original) track indices."""
        found: list[tuple[int, int]] = []
        for (a, b), comparison in self._pairs.items():
            if comparison.same is None and not {a, b} & self.ignored:
                comparison.compare(feeds[a].sound, feeds[b].sound)
                if comparison.same:
                    self.ignored.add(b)
                    found.append((b, a))
        return found

    def detect_final(self, feeds: Sequence[TrackFeed]) -> list[tuple[int, int]]:
        """As ``detect``, at the end of the audio: only then can channels of one source be compared."""
        self.detect(feeds)
        found: list[tuple[int, int]] = []
        for (a, b), comparison in self._pairs.items():
            if isinstance(comparison, ChannelComparison) and not {a, b} & self.ignored:
                comparison.decide()
                if comparison.same:
                    self.ignored.add(b)
                    found.append((b, a))
        return found

    def is_distinct(self, index: int) -> bool:
        """Return whether the track is known to duplicate no other track of its kind, ignored ones aside."""
        comparisons = [c for pair, c in self._pairs.items() if index in pair and not set(pair) & self.ignored]
        return all(comparison.same is False for comparison in comparisons)


def _comparison(first: LiveTrack, second: LiveTrack) -> TrackComparison | ChannelComparison:
    if first.track_id == second.track_id:
        return ChannelComparison()
    shift_s = round((second.start_us - first.start_us) / 1e6)
    return TrackComparison(shift_s, participants=first.kind is TrackKind.PARTICIPANT)
