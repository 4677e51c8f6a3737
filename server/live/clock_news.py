"""What the clocks of the tracks are told to do: drift, and capture times that cannot be followed."""

from __future__ import annotations

from collections.abc import Iterable

from meetra.v1 import live_pb2 as pb

from server.live.source_log import TrackLog

# A drift is told from here, and when it has changed by as much, parts per million.
TOLD_PPM = 100


class ClockNews:
    """Tell each drift once, and each clock that runs behind once until it is right again."""

    def __init__(self) -> None:
        self._told_ppm: dict[str, int] = {}
        self._behind: set[str] = set()

    def events(self, logs: Iterable[TrackLog]) -> list[pb.LiveEvent]:
        """Return events for what is new since the last call."""
        events = []
        for log in logs:
            track_id, clock = log.track.track_id, log.clock
            told_ppm = self._told_ppm.get(track_id, 0)
            if clock.drift_ppm is not None and abs(clock.drift_ppm - told_ppm) >= TOLD_PPM:
                self._told_ppm[track_id] = clock.drift_ppm
                told = pb.TrackClock(
                    track_id=track_id, drift_ppm=clock.drift_ppm, corrected_ms=round(clock.corrected_us / 1000)
                )
                events.append(pb.LiveEvent(clock=told))
            if not clock.behind:
                self._behind.discard(track_id)
            elif track_id not in self._behind:
                self._behind.add(track_id)
                text = (
                    f"The audio of track {track_id} has capture times of over a second before its positions: they are"
                    " ignored. The client's clock was set back, or more audio was sent than was captured."
                )
                warning = pb.Warning(code=pb.WARNING_CODE_CAPTURE_CLOCK, track_id=track_id, text=text)
                events.append(pb.LiveEvent(warning=warning))
        return events
