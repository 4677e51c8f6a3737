"""The tracks of a live meeting as clients see them, and the changes to tell them next."""

from __future__ import annotations

from collections.abc import Iterable

from meetra.v1 import live_pb2 as pb

from server.live.config import LiveConfig, TrackKind

KINDS = {TrackKind.MIXED: pb.TRACK_KIND_MIXED, TrackKind.PARTICIPANT: pb.TRACK_KIND_PARTICIPANT}


def track_states(config: LiveConfig, *, at_first: bool = False) -> list[pb.LiveTrackState]:
    """Return the state of each source, in config order, names only where they are not redacted.

    Args:
        at_first: as it was when it came.
    """
    states: dict[str, pb.LiveTrackState] = {}
    hides_names = config.hides_names
    for track in config.tracks:
        state = states.setdefault(
            track.track_id,
            pb.LiveTrackState(
                track_id=track.track_id,
                kind=KINDS[track.kind],
                start_ms=track.start_us // 1000,
                ended=track.ended and not at_first,
            ),
        )
        name = "" if hides_names else track.first_name if at_first else track.participant_name
        if track.channel:
            state.channel_names.append(name)
        else:
            state.participant_name = name
    return list(states.values())


class PublishedTracks:
    """Tell each change of tracks once, even across crashes."""

    def __init__(self, config: LiveConfig) -> None:
        self._config = config
        opened_with = {track.track_id for track in config.tracks if not track.joined}
        at_first = track_states(config, at_first=True)
        self._told = {state.track_id: state for state in at_first if state.track_id in opened_with}

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore what stored events told."""
        for event in events:
            if event.WhichOneof("event") == "track":
                self._told[event.track.track.track_id] = event.track.track

    def changes(self) -> list[pb.LiveEvent]:
        """Return events for the changes since the last call, and mark them as published."""
        events = []
        for state in track_states(self._config):
            told = self._told.get(state.track_id)
            if told == state:
                continue
            self._told[state.track_id] = state
            changes = [pb.TRACK_CHANGE_ADDED] if told is None else []
            if told is not None and (told.participant_name, *told.channel_names) != (
                state.participant_name,
                *state.channel_names,
            ):
                changes.append(pb.TRACK_CHANGE_RENAMED)
            if state.ended and not (told is not None and told.ended):
                changes.append(pb.TRACK_CHANGE_ENDED)
            events += [pb.LiveEvent(track=pb.LiveTrackChange(change=change, track=state)) for change in changes]
        return events
