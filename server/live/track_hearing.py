"""How far the tracks of a live meeting are heard now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from server.live.hearing import Hearing
from server.live.track_feed import TrackFeed
from server.media import RATE_HZ

# Nobody waits for a track whose analysis, or whose audio, is further behind than this, microseconds.
MAX_WAIT_US = 5_000_000


def audio_through_us(feeds: Iterable[TrackFeed]) -> int:
    """Return up to where any of these tracks has durable audio, microseconds of the meeting; 0 without any.

    A track without audio does not count, also where it starts later.
    """
    return max((feed.audio_through_us() for feed in feeds if feed.has_audio), default=0)


def listen(feeds: Sequence[TrackFeed], ignored: Collection[int]) -> list[Hearing]:
    """Return how far each track is heard; nobody waits for ``ignored`` ones."""
    front_us = audio_through_us(feeds)
    hearings = []
    for index, feed in enumerate(feeds):
        # A track may start later than the meeting has come: it is heard up to nowhere before its first audio.
        turns_us = feed.turns_through_us() if feed.has_audio else 0
        late = (
            feed.lag_samples() * 1_000_000 // RATE_HZ > MAX_WAIT_US or front_us - feed.audio_through_us() > MAX_WAIT_US
        )
        quiet = feed.is_quiet or not feed.has_audio
        awaited = not (quiet or late or index in ignored)
        hearings.append(Hearing(turns_us, min(turns_us, feed.copied.shown_through_us), quiet, awaited))
    return hearings
