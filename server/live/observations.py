"""Periodic observations of a live meeting: warnings and duplicate tracks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from meetra.v1 import live_pb2 as pb

from server.audio import ChannelComparison, Comparison
from server.live.config import LiveConfig, Track
from server.live.track_feed import TrackFeed
from server.live.turns import LiveTurns
from server.media import RATE_HZ

# Lag of the turns, seconds, from which clients are warned.
LATE_S = 10.0


class Warnings:
    """Emit each warning once when its condition begins, and again if it recurs."""

    def __init__(self) -> None:
        self._active: set[tuple[int, str, int]] = set()

    def of(self, feeds: Sequence[TrackFeed], turns: LiveTurns) -> list[pb.LiveEvent]:
        """Return events for the warnings that begin now."""
        now: dict[tuple[int, str, int], str] = {}
        for feed in feeds:
            of = feed.track.track_id, feed.track.channel
            if feed.sound.clipping:
                now[(pb.WARNING_CODE_CLIPPING, *of)] = "The audio is at full scale: turn the microphone down."
            if feed.sound.silent:
                here = "channel" if feed.track.channel else "track"
                now[(pb.WARNING_CODE_SILENCE, *of)] = f"Nothing has been heard on this {here} for a minute."
            if feed.damaged:
                now[(pb.WARNING_CODE_UNDECODABLE, *of)] = (
                    "Some of the audio is not what its encoding says; it is stored as it came, and left out."
                )
        if max((feed.lag_samples() for feed in feeds), default=0) > LATE_S * RATE_HZ:
            now[pb.WARNING_CODE_LAG, "", 0] = "The analysis is behind the audio: events come late. Nothing is lost."
        most = max((feed.most_speakers for feed in feeds), default=0)
        if most and turns.most_voices() >= most:
            now[pb.WARNING_CODE_TOO_MANY_SPEAKERS, "", 0] = (
                f"{most} voices are told apart on one track, the most that this engine can; others count as these."
            )
        if any(feed.language_unknown for feed in feeds):
            now[pb.WARNING_CODE_LANGUAGE_UNKNOWN, "", 0] = (
                "The recogniser does not know the language that was given: turns come without words."
            )
        new = {what: text for what, text in now.items() if what not in self._active}
        self._active = set(now)
        return [
            pb.LiveEvent(
                warning=pb.Warning(code=pb.WarningCode.ValueType(code), track_id=track, text=text, channel=channel)
            )
            for (code, track, channel), text in new.items()
        ]


class DuplicateTrackDetector:
    """Find tracks that carry the audio of another track of the same kind."""

    def __init__(self, config: LiveConfig, ignored: Sequence[str]) -> None:
        self._config = config
        self.ignored = {place for place, track in enumerate(config.tracks) if track.key in ignored}
        self._pairs = {
            (a, b): _comparison(config.tracks[a], config.tracks[b])
            for a, b in combinations(range(len(config.tracks)), 2)
            if config.tracks[a].kind is config.tracks[b].kind and not {a, b} & self.ignored
        }

    def look(self, feeds: Sequence[TrackFeed]) -> list[tuple[int, int]]:
        """Return the duplicates found since the last call, as (duplicate, original) track indices."""
        found: list[tuple[int, int]] = []
        for (a, b), comparison in self._pairs.items():
            if comparison.same is None and not {a, b} & self.ignored:
                comparison.compare(feeds[a].sound, feeds[b].sound)
                if comparison.same:
                    self.ignored.add(b)
                    found.append((b, a))
        return found

    def conclude(self, feeds: Sequence[TrackFeed]) -> list[tuple[int, int]]:
        """As ``look``, at the end of the audio: only then can channels of one source be compared."""
        self.look(feeds)
        found: list[tuple[int, int]] = []
        for (a, b), comparison in self._pairs.items():
            if isinstance(comparison, ChannelComparison) and not {a, b} & self.ignored:
                comparison.conclude()
                if comparison.same:
                    self.ignored.add(b)
                    found.append((b, a))
        return found

    def judged(self, place: int) -> bool:
        """Return whether the track is known to duplicate no other track of its kind, ignored ones aside."""
        mine = [c for pair, c in self._pairs.items() if place in pair and not set(pair) & self.ignored]
        return all(comparison.same is False for comparison in mine)


def _comparison(first: Track, second: Track) -> Comparison | ChannelComparison:
    if first.track_id == second.track_id:
        return ChannelComparison()
    return Comparison(round((second.start_us - first.start_us) / 1e6))
