"""The rules that hold in a meeting: its own, and its organization's."""

from __future__ import annotations

from dataclasses import replace

from server.live.config import LiveConfig
from server.live.rules import LiveRule, RuleKind, join_rules, rules_from_documents
from tests.server.live.live_configs import PARTICIPANT, of_kinds

OWN = (
    LiveRule("a", RuleKind.MONOLOGUE, 60),
    LiveRule("b", RuleKind.PHRASE, phrases=("price", "too much"), said_by="Ana"),
)
THEIRS = (LiveRule("b", RuleKind.SILENCE, 30), LiveRule("c", RuleKind.SENTIMENT, 40, 300))


def test_rules_of_the_organization_hold_unless_the_meeting_has_one_of_that_id() -> None:
    assert join_rules(OWN, THEIRS) == (*OWN, THEIRS[1])
    assert join_rules((), THEIRS) == THEIRS


def test_rules_are_kept_with_the_meeting() -> None:
    rules = join_rules(OWN, THEIRS)
    assert rules_from_documents([rule.to_document() for rule in rules]) == rules
    config = replace(of_kinds(PARTICIPANT), rules=rules)
    assert LiveConfig.from_document(config.to_document()) == config


def test_a_meeting_that_was_opened_before_there_were_rules_has_none() -> None:
    document = of_kinds(PARTICIPANT).to_document()
    del document["rules"]
    assert LiveConfig.from_document(document).rules == ()
