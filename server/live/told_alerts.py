"""The alerts that a live meeting has told: each occurrence once, also across restarts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from server.live.rules import MAX_ALERTS

PROVISIONAL = rules_pb2.LIVE_ALERT_STATE_PROVISIONAL
FINAL = rules_pb2.LIVE_ALERT_STATE_FINAL
WITHDRAWN = rules_pb2.LIVE_ALERT_STATE_WITHDRAWN


class ToldAlerts:
    """Number alerts, and keep the last event of each."""

    def __init__(self) -> None:
        self._last_id = 0
        self._by_rule: defaultdict[str, dict[int, rules_pb2.LiveAlert]] = defaultdict(dict)

    def restore(self, events: Iterable[pb.LiveEvent]) -> list[rules_pb2.LiveAlert]:
        """Restore what was told from stored events, and return their alerts in order."""
        alerts = [event.alert for event in events if event.WhichOneof("event") == "alert"]
        for alert in alerts:
            self._by_rule[alert.rule_id][alert.alert_id] = alert
            self._last_id = max(self._last_id, alert.alert_id)
        return alerts

    def tell(self, alert: rules_pb2.LiveAlert) -> rules_pb2.LiveAlert | None:
        """Number an alert and record it as told; None where its rule has told as many as it may."""
        told = self._by_rule[alert.rule_id]
        if len(told) >= MAX_ALERTS:
            return None
        self._last_id += 1
        alert.alert_id = self._last_id
        told[alert.alert_id] = alert
        return alert

    def revise(self, alert: rules_pb2.LiveAlert) -> None:
        """Record another event of an alert that was told."""
        self._by_rule[alert.rule_id][alert.alert_id] = alert

    def of(self, rule_id: str) -> Sequence[rules_pb2.LiveAlert]:
        """Return the alerts of a rule, in the order in which they were told."""
        return tuple(self._by_rule[rule_id].values()) if rule_id in self._by_rule else ()
