"""Which tracks the watermark waits for: nobody who is silent holds back what is final of the others."""

from __future__ import annotations

from collections.abc import Sequence

from meetra.v1 import live_pb2 as pb

from server.live.config import LiveConfig
from server.live.observations import DuplicateTrackDetector
from server.live.published_state import PublishedState
from server.live.track_feed import TrackFeed
from server.live.turns import is_participant_track

# Audio that comes this far after the watermark ends a warning of late audio, microseconds.
CAUGHT_UP_US = 10_000_000
# Until a track is known to be a copy of another or not, its turns are not final. They wait at most this long,
# microseconds from the first of them.
MAX_JUDGEMENT_WAIT_US = 30_000_000


class Finality:
    """Tell which tracks the watermark of a meeting covers."""

    def __init__(
        self,
        config: LiveConfig,
        feeds: Sequence[TrackFeed],
        published: PublishedState,
        duplicates: DuplicateTrackDetector,
    ) -> None:
        self._config, self._feeds, self._published, self._duplicates = config, feeds, published, duplicates
        self._turns = published.turns
        self._late: set[int] = set()

    def settle_speakers(self) -> None:
        """Settle the speakers of tracks that are no copies, or have waited long enough to be judged.

        Those are participants' tracks, and others once they have ended and are analysed to their end.
        """
        for index, feed in enumerate(self._feeds):
            if self._turns.has_settled_speakers(index):
                continue
            if not is_participant_track(self._config, index) and not (feed.track.ended and feed.is_closed):
                continue
            if self._duplicates.is_distinct(index) or (
                self._has_waited(index) and not self._duplicates.repeats_another_channel(index)
            ):
                self._turns.settle_speakers(index)

    def late_audio(self) -> list[pb.LiveEvent]:
        """Return a warning for each track whose audio begins to come before what is final already."""
        # Beside a MIXED track only words are final before the end.
        final_us = self._published.words_final_through_us
        warnings = []
        for index, feed in enumerate(self._feeds):
            # What is final of a track was heard, also where only decoding tells how long its audio is.
            through_us = max(feed.audio_through_us(), self._turns.words_final_through_us(index))
            if index in self._late:
                if through_us >= final_us + CAUGHT_UP_US:
                    self._late.discard(index)
            elif index in self.ignored or feed.is_cut_at_its_end or feed.is_closed:
                continue
            elif feed.has_audio and through_us < final_us:
                self._late.add(index)
                warnings.append(_late_warning(feed, through_us, final_us))
        return warnings

    @property
    def late_tracks(self) -> frozenset[int]:
        """Tracks whose audio comes before what is final already."""
        return frozenset(self._late)

    @property
    def ignored(self) -> set[int]:
        """Tracks that are excluded from everything."""
        return self._duplicates.ignored

    def uncovered(self) -> set[int]:
        """Return the tracks that the watermark does not wait for, ignored ones included."""
        return self.ignored | {index for index in range(len(self._feeds)) if not self._is_covered(index)}

    def _is_covered(self, index: int) -> bool:
        feed = self._feeds[index]
        if not feed.has_audio or index in self._late:
            return False
        if not is_participant_track(self._config, index) or self._turns.has_settled_speakers(index):
            return not feed.is_closed
        return not (self._has_waited(index) and self._duplicates.repeats_another_channel(index))

    def _has_waited(self, index: int) -> bool:
        """Return whether a track has waited long enough to be judged, or all of it is final."""
        if self._feeds[index].is_closed:
            return True
        first_us = self._turns.first_start_us(index)
        return first_us is not None and self._turns.words_final_through_us(index) - first_us >= MAX_JUDGEMENT_WAIT_US


def _late_warning(feed: TrackFeed, through_us: int, final_us: int) -> pb.LiveEvent:
    track = feed.track
    text = (
        f"The audio of {track.display_name} is at {through_us / 1e6:.1f} s of the meeting, which is final up to"
        f" {final_us / 1e6:.1f} s: its turns come after the fact, and each is final when it says so."
    )
    code = pb.WARNING_CODE_LATE_AUDIO
    return pb.LiveEvent(warning=pb.Warning(code=code, track_id=track.track_id, text=text, channel=track.channel))
