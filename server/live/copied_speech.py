"""Speech that a live track carries for somebody who has a track of their own: found as the audio arrives.

Turns of a mix wait until their audio has been compared, two seconds or so; words count as final no further than that.
The same judgement is made of the whole meeting at its end (``server/analysis/copied_speech.py``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from server.analysis import COPY_FRAME, COPY_MARGIN, COPY_MAX_DELAY, judge_frames
from server.conversation import Heard
from server.live.config import MAX_TRACKS, LiveConfig, TrackKind
from server.live.copied_turns import CopiedTurns
from server.live.track_feed import TrackFeed
from server.media import RATE_HZ

# A track from which nothing came for so long is not waited for: somebody muted may send nothing.
IDLE_S = 2.0
FRAMES_PER_SECOND = RATE_HZ // COPY_FRAME


class CopyDetector:
    """Compare the tracks of a live meeting as their audio arrives."""

    def __init__(self, config: LiveConfig) -> None:
        self._config = config
        self.tracks: list[CopiedTurns] = []
        self._grown: list[tuple[int, float]] = []
        """Samples of each track, and when they became so many, by the monotonic clock."""
        self.adopt_tracks(())

    def adopt_tracks(self, feeds: Sequence[TrackFeed]) -> None:
        """Adopt the config's tracks after some were added; not while ``detect`` runs.

        Args:
            feeds: of the tracks before. What they carried until now is their own, where there was nobody to copy.
        """
        tracks = self._config.tracks
        self._kinds = [track.kind for track in tracks]
        self._starts = [round(track.start_us * RATE_HZ / 1_000_000) for track in tracks]
        self._owners = [
            [other for other, kind in enumerate(self._kinds) if other != index and kind is TrackKind.PARTICIPANT]
            for index in range(len(tracks))
        ]
        for copied, feed, owners, kind in zip(self.tracks, feeds, self._owners, self._kinds, strict=False):
            if owners and not copied.compared:
                copied.begin_comparing(feed.sound.whole_seconds * FRAMES_PER_SECOND, held=kind is TrackKind.MIXED)
        for track, owners in zip(tracks[len(self.tracks) :], self._owners[len(self.tracks) :], strict=True):
            held = track.kind is TrackKind.MIXED
            self.tracks.append(CopiedTurns(track.start_us, MAX_TRACKS, compared=bool(owners), held=held))
            self._grown.append((0, time.monotonic()))

    def detect(self, feeds: Sequence[TrackFeed]) -> list[tuple[list[Heard], bool]]:
        """Judge the seconds that have come.

        Return for each track its new frames, and whether no audio comes any more.
        """
        now = time.monotonic()
        for index, feed in enumerate(feeds):
            if feed.decoded_samples != self._grown[index][0]:
                self._grown[index] = feed.decoded_samples, now
        idle = [now - since >= IDLE_S for _, since in self._grown]
        return [
            self._judge_track(feeds, index, idle) if self._owners[index] else ([], False) for index in range(len(feeds))
        ]

    def _judge_track(self, feeds: Sequence[TrackFeed], index: int, idle: list[bool]) -> tuple[list[Heard], bool]:
        whole_frames = feeds[index].sound.whole_seconds * FRAMES_PER_SECOND
        heard = self._judge(feeds, index, idle)
        # What waits for the audio of another track is not judged yet.
        return heard, idle[index] and len(self.tracks[index].frames) + len(heard) >= whole_frames

    def _judge(self, feeds: Sequence[TrackFeed], index: int, idle: list[bool]) -> list[Heard]:
        sound, heard = feeds[index].sound, list[Heard]()
        next_second = len(self.tracks[index].frames) // FRAMES_PER_SECOND
        for second in range(next_second, sound.whole_seconds):
            begin = second * RATE_HZ - COPY_MARGIN
            end = (second + 1) * RATE_HZ + COPY_MARGIN
            if end > sound.whole_seconds * RATE_HZ and not idle[index]:
                break
            spans = []
            for owner in self._owners[index]:
                other = feeds[owner].sound
                shift = self._starts[index] - self._starts[owner]
                first, last = begin + shift - COPY_MAX_DELAY, end + shift + COPY_MAX_DELAY
                if last > other.whole_seconds * RATE_HZ and not idle[owner]:
                    return heard
                spans.append(other.span(first, last))
            is_mix = self._kinds[index] is TrackKind.MIXED
            heard += judge_frames(sound.span(begin, end), spans, is_mix=is_mix)
        return heard
