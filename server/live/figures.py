"""What this process counts of the live meetings that it holds: lag, audio, tracks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from server.live.session import LiveSession
from server.live.state import LiveState
from server.live.track_feed import TrackFeed
from server.media import RATE_HZ
from server.monitoring import (
    LIVE_ACKNOWLEDGED,
    LIVE_ANALYSED,
    LIVE_LAG_NOW,
    LIVE_MEETINGS,
    LIVE_STORE_LAG_NOW,
    LIVE_TRACKS,
    LIVE_TURNS_LAG,
    LIVE_UNHEARD_TRACKS,
    LIVE_WORDS_LAG,
)

log = logging.getLogger(__name__)


class LiveFigures:
    """Counts what has changed since the last look."""

    def __init__(self) -> None:
        self._counted: dict[tuple[UUID, int], tuple[int, int]] = {}
        """Of each track: durable and analysed audio that is counted, samples at 16 kHz."""

    def measure(self, held: Iterable[LiveSession]) -> None:
        """Count the meetings that the process holds now. It never raises: no meeting depends on what is counted."""
        try:
            self._measure([meeting for meeting in held if not meeting.lost])
        except Exception:
            log.exception("live meetings cannot be counted")

    def _measure(self, held: list[LiveSession]) -> None:
        running = [meeting for meeting in held if meeting.running]
        tracks = [feed for meeting in running for feed in meeting.tracks.feeds]
        LIVE_MEETINGS.set(len(running))
        LIVE_TRACKS.set(len(tracks))
        LIVE_UNHEARD_TRACKS.set(sum(feed.has_audio and feed.is_unheard for feed in tracks))
        LIVE_STORE_LAG_NOW.set(max((meeting.audio.behind_s for meeting in held), default=0.0))
        self._observe_lags([feed for m in running if m.state is LiveState.OPEN for feed in m.tracks.feeds])
        counted = {}
        for meeting in held:
            for index, feed in enumerate(meeting.tracks.feeds):
                key = meeting.row.meeting_id, index
                counted[key] = self._count(feed, self._counted.get(key), resumed=meeting.row.fence > 1)
        self._counted = counted

    def _observe_lags(self, feeds: list[TrackFeed]) -> None:
        turns, words = [0.0], [0.0]
        for feed in feeds:
            if feed.has_audio:
                turns.append(feed.lag_samples() / RATE_HZ)
                words.append(feed.words_lag_samples() / RATE_HZ)
                LIVE_TURNS_LAG.observe(turns[-1])
                LIVE_WORDS_LAG.observe(words[-1])
        LIVE_LAG_NOW.labels("turns").set(max(turns))
        LIVE_LAG_NOW.labels("words").set(max(words))

    def _count(self, feed: TrackFeed, known: tuple[int, int] | None, *, resumed: bool) -> tuple[int, int]:
        """Count what a track has more than is known of it; return what is known now."""
        durable = feed.durable_samples()
        analysed = min(durable, feed.reach.turns)
        if known is None:
            # What a meeting had before this process took it up was counted by the one before.
            known = (durable, durable) if resumed else (0, 0)
        # An engine that starts over repeats audio: it counts once.
        grown = max(known[0], durable), max(known[1], analysed)
        LIVE_ACKNOWLEDGED.inc((grown[0] - known[0]) / RATE_HZ)
        LIVE_ANALYSED.inc((grown[1] - known[1]) / RATE_HZ)
        return grown
