"""All alerts of one live meeting: what was told, and what follows from its turns and its measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from meetra.v1 import live_pb2 as pb

from server.live.config import LiveConfig
from server.live.metric_alerts import MetricAlerts, NamedSpeaker
from server.live.phrase_alerts import PhraseAlerts
from server.live.told_alerts import ToldAlerts


class MeetingAlerts:
    """The alerts of one meeting, restored from what is stored."""

    def __init__(self, config: LiveConfig, name: Callable[[int], NamedSpeaker]) -> None:
        """``name``: names a speaker by their number."""
        self._told = ToldAlerts()
        self._phrases = PhraseAlerts(config.rules, self._told)
        self.metrics = MetricAlerts(config.rules, self._told, name)

    def restore(self, events: Iterable[pb.LiveEvent]) -> None:
        """Restore from stored events; may be called repeatedly with consecutive batches."""
        events = list(events)
        self._phrases.restore(events, self._told.restore(events))
        ends_ms = (event.turn.end_ms for event in events if event.WhichOneof("event") == "turn")
        self.metrics.restore(1000 * max(ends_ms, default=0))

    def follow(self, events: Iterable[pb.LiveEvent]) -> list[pb.LiveEvent]:
        """Return the alerts of phrases that follow from events, to be stored with them."""
        return self._phrases.follow(events)
