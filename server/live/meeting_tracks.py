"""The tracks of a live meeting in the process that holds it: each has a feed, and all are compared with each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from meetra.inference.v2 import session_pb2

from server.live.config import LiveConfig
from server.live.copied_speech import CopyDetector
from server.live.dependencies import LiveDependencies
from server.live.finality import Finality
from server.live.observations import DuplicateTrackDetector
from server.live.published_state import PublishedState
from server.live.track_cuts import TrackCuts
from server.live.track_feed import TrackFeed
from server.live.track_hearing import audio_through_us
from server.live.track_log import MeetingAudio
from server.media import RATE_HZ
from server.storage import LiveRow


class MeetingTracks:
    """Hold the feeds of the config's tracks, and what compares them; tracks may be added at any moment."""

    def __init__(
        self,
        dependencies: LiveDependencies,
        row: LiveRow,
        config: LiveConfig,
        audio: MeetingAudio,
        published: PublishedState,
        on_update: Callable[[], Awaitable[None]],
    ) -> None:
        """``on_update``: awaited after each complete update by the engine, to publish it."""
        self._dependencies, self._row, self._config, self._audio = dependencies, row, config, audio
        self._published, self._on_update = published, on_update
        self.feeds: list[TrackFeed] = []
        """One for each track, in config order."""
        self.copies = CopyDetector(config)
        self.duplicates = DuplicateTrackDetector(config, row.ignored_tracks)
        self.finality = Finality(config, self.feeds, published, self.duplicates)
        self.changing = asyncio.Lock()
        """Held while tracks are compared, and while they change."""
        self.adopt()
        for feed in self.feeds:
            feed.limit_restored_words()
        for index in self.duplicates.ignored:
            published.turns.ignore(index)

    def adopt(self) -> list[TrackFeed]:
        """Adopt the config's tracks after some were added, and return their feeds, which do not run yet."""
        self.copies.adopt_tracks(self.feeds)
        self.duplicates.adopt_tracks()
        added = [self._feed(index) for index in range(len(self.feeds), len(self._config.tracks))]
        self.feeds += added
        return added

    def _feed(self, index: int) -> TrackFeed:
        row, settings = self._row, self._dependencies.settings
        return TrackFeed(
            row.meeting_id,
            self._config,
            index,
            self._audio,
            self._published,
            self._dependencies.analyzer.inference,
            self._on_update,
            organization_id=row.organization_id,
            idle_s=settings.live_track_idle_s,
            cuts=TrackCuts(
                self._dependencies.audio_log.live_cuts(row.organization_id, row.file_hash, index),
                self._audio.check_holder,
                self._audio.cut_added,
            ),
            cut_s=settings.live_track_pause_s,
            others_through_us=partial(self._others_through_us, index),
            copied=self.copies.tracks[index],
        )

    def _others_through_us(self, index: int) -> int:
        """Return up to where other sources than a track's have audio, microseconds."""
        source = self._config.tracks[index].track_id
        return audio_through_us(feed for feed in self.feeds if feed.track.track_id != source)

    def audio_through_us(self) -> int:
        """Return up to where the meeting has durable audio, microseconds; 0 without any.

        Where only decoding tells how long audio is, what was published says more after a restart, or while the analysis
        is behind.
        """
        turns, published = self._published.turns, [0]
        for index, track in enumerate(self._config.tracks):
            if track.format.positions_per_second is None:
                published += [turns.turns_through_us(index), turns.words_final_through_us(index)]
        return max(audio_through_us(self.feeds), *published)

    def lag_ms(self) -> int:
        """Return how far the turns lag behind the durable audio on the slowest track, milliseconds."""
        return max((feed.lag_samples() for feed in self.feeds), default=0) * 1000 // RATE_HZ

    def words_lag_ms(self) -> int:
        """Return how far the words lag behind the durable audio on the slowest track, milliseconds."""
        return max((feed.words_lag_samples() for feed in self.feeds), default=0) * 1000 // RATE_HZ

    def analysed_samples(self) -> tuple[int, int]:
        """Return how much is analysed, and how much durable audio there is, over all tracks, in samples at 16 kHz."""
        analysed, durable = zip(*(feed.analysed_samples() for feed in self.feeds), strict=True)
        return sum(analysed), sum(durable)

    @property
    def engine(self) -> session_pb2.Capabilities | None:
        """The engine's reported capabilities; None while no engine has been reached."""
        reported = (feed.engine for feed in self.feeds if feed.engine is not None)
        return next(reported, self._dependencies.analyzer.inference.capabilities)

    async def leave_out_copies(self) -> None:
        """Leave out speech that tracks carry for others, as far as their audio has come."""
        judged = await asyncio.to_thread(self.copies.detect, self.feeds)
        for copied, feed, (frames, idle) in zip(self.copies.tracks, self.feeds, judged, strict=True):
            for turn in copied.judged(frames, idle=idle):
                self._published.turns.update(turn)
            feed.mark_words_final()
