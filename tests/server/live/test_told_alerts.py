"""Alerts have numbers of their own, also after a restart, and no rule tells more than it may."""

from __future__ import annotations

from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from server.live.rules import MAX_ALERTS
from server.live.told_alerts import FINAL, WITHDRAWN, ToldAlerts


def test_numbers_go_on_after_a_restart_and_the_last_event_of_an_alert_holds() -> None:
    told = ToldAlerts()
    first = told.tell(rules_pb2.LiveAlert(rule_id="a", state=FINAL))
    second = told.tell(rules_pb2.LiveAlert(rule_id="b", state=FINAL))
    assert first is not None
    assert second is not None
    gone = rules_pb2.LiveAlert(rule_id="a", alert_id=1, state=WITHDRAWN)
    told.revise(gone)
    again = ToldAlerts()
    stored = [pb.LiveEvent(alert=alert) for alert in (first, second, gone)]
    assert again.restore([pb.LiveEvent(insights=pb.LiveInsights()), *stored]) == [first, second, gone]
    assert [list(one.of(rule)) for one in (told, again) for rule in "abc"] == [[gone], [second], []] * 2
    third = again.tell(rules_pb2.LiveAlert(rule_id="a"))
    assert third is not None
    assert (first.alert_id, second.alert_id, third.alert_id) == (1, 2, 3)


def test_a_rule_tells_so_many_and_no_more() -> None:
    told = ToldAlerts()
    assert all(told.tell(rules_pb2.LiveAlert(rule_id="a")) for _ in range(MAX_ALERTS))
    assert told.tell(rules_pb2.LiveAlert(rule_id="a")) is None
    assert told.tell(rules_pb2.LiveAlert(rule_id="b")) is not None
    again = ToldAlerts()
    again.restore(pb.LiveEvent(alert=alert) for alert in told.of("a"))
    assert again.tell(rules_pb2.LiveAlert(rule_id="a")) is None
