"""All alerts of a meeting, stored with its turns: a crash anywhere changes nothing of what is told."""

from __future__ import annotations

from dataclasses import replace

from meetra.v1 import live_pb2 as pb
from meetra.v1 import rules_pb2

from server.conversation import TurnState, Word
from server.live.metric_alerts import KnownConversation
from server.live.published_state import PublishedState
from server.live.rolling_alerts import speech_timeline
from server.live.rules import LiveRule, RuleKind
from server.live.turn_snapshot import TurnSnapshot
from tests.server.live.live_configs import MIXED, PARTICIPANT, of_kinds
from tests.server.live.test_turns import MEETING, PEOPLE, S, stored

RULES = (
    LiveRule("price", RuleKind.PHRASE, phrases=("too much", "discount")),
    LiveRule("long", RuleKind.MONOLOGUE, 5),
    LiveRule("quiet", RuleKind.NOT_HEARD, 10),
)


def said(id_: int, start_s: float, text: str, *, track: int = 0, state: TurnState = TurnState.STABLE) -> TurnSnapshot:
    words = tuple(
        Word(word, round((start_s + place) * S), round((start_s + place + 0.9) * S), 0.9)
        for place, word in enumerate(text.split())
    )
    return TurnSnapshot(id_, track, state, 1 + track, round(start_s * S), words[-1].end_us, words)


# What is known after each second step: turns, and up to where words are final.
STEPS = [
    ([said(2, 0, "this is far")], 0),
    ([said(2, 0, "this is far too much for us")], 0),
    ([said(2, 0, "this is far to watch for us")], 4),
    ([said(3, 8, "a discount then", track=1)], 8),
    ([said(4, 20, "so the discount")], 12),
    ([said(4, 20, "so the discount is fine today"), said(6, 40, "far too")], 38),
    ([said(6, 40, "far too much")], 60),
]


def told_by(crash: int | None) -> list[str]:
    """The alerts that clients are told, where a process dies after a step and before the next."""
    config = replace(PEOPLE, rules=RULES)
    state, log = PublishedState(config, MEETING), list[pb.LiveEvent]()
    for step, (turns, final_s) in enumerate(STEPS):
        for turn in turns:
            state.turns.update(turn)
        for track in (0, 1):
            state.turns.mark_words_final(track, final_s * S)
        changes = state.changes(())
        log += stored([*changes, *state.alerts.follow(changes)])
        segments = state.turns.segments()
        through_us = max(segment.end_us for segment in segments)
        timeline = speech_timeline(segments, through_us)
        known = KnownConversation(timeline, (), through_us, through_us, {1: 0, 2: 0}, {}, frozenset())
        found = state.alerts.metrics.tell(state.alerts.metrics.find(known))
        if step == crash:
            # These were not stored.
            state = PublishedState(config, MEETING)
            for event in log:
                state.restore([event])
            # The engine begins anew: clients have what they were told.
            found = state.alerts.metrics.tell(state.alerts.metrics.find(known))
        log += stored([pb.LiveEvent(alert=alert) for alert in found])
    alerts = [event.alert for event in log if event.WhichOneof("event") == "alert"]
    names = {rules_pb2.LIVE_ALERT_STATE_PROVISIONAL: "?", rules_pb2.LIVE_ALERT_STATE_WITHDRAWN: "-"}
    return [f"{a.alert_id} {a.rule_id} {a.alias} {a.start_ms} {a.phrase}{names.get(a.state, '')}" for a in alerts]


def test_a_crash_after_any_step_changes_nothing_of_what_is_told() -> None:
    undisturbed = told_by(None)
    assert undisturbed == [
        "1 price P0 3000 too much?",
        "2 long P0 0 ",
        "1 price P0 3000 too much-",
        "3 price P1 9000 discount?",
        "3 price P1 9000 discount",
        "4 price P0 22000 discount?",
        "5 quiet P0 6900 ",
        "6 quiet P1 10900 ",
        "4 price P0 22000 discount",
        "7 quiet P0 25900 ",
        "8 long P0 20000 ",
        "9 price P0 41000 too much",
    ]
    assert [told_by(crash) for crash in range(len(STEPS))] == [undisturbed] * len(STEPS)


def test_a_voice_of_a_room_is_told_without_a_track_and_a_participant_with_theirs() -> None:
    rules = (LiveRule("quiet", RuleKind.NOT_HEARD, 10),)
    state = PublishedState(replace(of_kinds(MIXED, PARTICIPANT), rules=rules), MEETING)
    state.turns.update(TurnSnapshot(2, 0, TurnState.STABLE, 2, 0, 2 * S, ()))
    segments = state.turns.segments()
    known = KnownConversation(speech_timeline(segments, 20 * S), (), 20 * S, 20 * S, {1: 0}, {}, frozenset())
    alerts = state.alerts.metrics.tell(state.alerts.metrics.find(known))
    assert [(a.alias, a.track_id, a.start_ms) for a in alerts] == [("P1", "t1", 0), ("Speaker 2", "", 2000)]
    assert {a.speaker_id for a in alerts} == {state.turns.speaker_id(number) for number in (1, 2)}


def test_phrases_are_found_in_redacted_words_alone() -> None:
    rule = LiveRule("anna", RuleKind.PHRASE, phrases=("anna", "email", "please"))
    found = {}
    for redact in ("", "email"):
        state = PublishedState(replace(of_kinds(PARTICIPANT), rules=(rule,), redact=redact), MEETING)
        state.turns.update(said(1, 0, "write to anna@example.com please"))
        state.turns.mark_heard(0, 60 * S)
        found[redact] = [event.alert.phrase for event in state.alerts.follow(state.changes(()))]
    assert found == {"": ["anna", "please"], "email": ["please"]}
