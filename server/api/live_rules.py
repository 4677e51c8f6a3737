"""Rules of live meetings: checked as they come, and as messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meetra.v1 import rules_pb2 as pb

from server.api.validation import MAX_ALIAS, require_chosen_id
from server.errors import BadRequest
from server.live import MAX_PHRASE, MAX_PHRASES, MAX_RULES, LiveRule, RuleKind, tokens_of
from server.visible_text import find_flaw, trim

# The field with the bound of each kind, and what it may be.
_BOUNDS = {
    RuleKind.MONOLOGUE: ("longer_than_s", range(5, 43_201)),
    RuleKind.NOT_HEARD: ("longer_than_s", range(10, 43_201)),
    RuleKind.SILENCE: ("longer_than_s", range(5, 43_201)),
    RuleKind.SENTIMENT: ("below", range(1, 101)),
    RuleKind.SPEAKING_SHARE: ("above_percent", range(1, 100)),
}
_WINDOWS_S = range(30, 3601)


def validate_rules(field: str, rules: Sequence[pb.LiveRule]) -> tuple[LiveRule, ...]:
    """Validate rules. Raises BadRequest that names the field and the fix.

    Args:
        field: name of the list.
    """
    if len(rules) > MAX_RULES:
        raise BadRequest(field, f"{len(rules)} rules; at most {MAX_RULES}")
    checked: dict[str, LiveRule] = {}
    for index, rule in enumerate(rules):
        require_chosen_id(f"{field}[{index}].id", rule.id)
        if rule.id in checked:
            raise BadRequest(f"{field}[{index}].id", f"{rule.id} is already used by another rule")
        checked[rule.id] = _validate_rule(f"{field}[{index}]", rule)
    return tuple(checked.values())


def _validate_rule(field: str, rule: pb.LiveRule) -> LiveRule:
    name = rule.WhichOneof("kind")
    if name is None:
        raise BadRequest(field, f"must have one of {', '.join(RuleKind)}")
    kind, given = RuleKind(name), getattr(rule, name)
    if kind is RuleKind.PHRASE:
        return _validate_phrases(f"{field}.phrase", rule.id, given)
    bound_name, bounds = _BOUNDS[kind]
    bound = _within(f"{field}.{name}.{bound_name}", getattr(given, bound_name), bounds)
    window_s = _within(f"{field}.{name}.window_s", given.window_s, _WINDOWS_S) if hasattr(given, "window_s") else 0
    return LiveRule(rule.id, kind, bound, window_s)


def _within(field: str, value: int, bounds: range) -> int:
    if value not in bounds:
        raise BadRequest(field, f"{value}; must be {bounds.start} to {bounds.stop - 1}")
    return value


def _validate_phrases(field: str, id_: str, given: pb.PhraseRule) -> LiveRule:
    if not 1 <= len(given.phrases) <= MAX_PHRASES:
        raise BadRequest(f"{field}.phrases", f"{len(given.phrases)} phrases; must be 1 to {MAX_PHRASES}")
    phrases = tuple(_validate_phrase(f"{field}.phrases[{index}]", text) for index, text in enumerate(given.phrases))
    said_by = _readable(f"{field}.said_by", given.said_by, MAX_ALIAS)
    return LiveRule(id_, RuleKind.PHRASE, phrases=phrases, said_by=said_by)


def _validate_phrase(field: str, text: str) -> str:
    phrase = _readable(field, text, MAX_PHRASE)
    # A placeholder of redaction has an empty one.
    if not all(tokens := tokens_of(phrase)) or not tokens:
        raise BadRequest(field, "has no words; must contain letters or digits, and nothing that redaction writes")
    return phrase


def _readable(field: str, text: str, most: int) -> str:
    """Return the trimmed text. Raises BadRequest for more characters than ``most``, or unreadable ones."""
    trimmed = trim(text)
    if len(trimmed) > most:
        raise BadRequest(field, f"{len(trimmed)} characters; at most {most}")
    if flaw := find_flaw(trimmed):
        raise BadRequest(field, flaw)
    return trimmed


def rule_messages(rules: Iterable[LiveRule]) -> list[pb.LiveRule]:
    """Return rules as callers give them."""
    return [_message(rule) for rule in rules]


def _message(rule: LiveRule) -> pb.LiveRule:
    message = pb.LiveRule(id=rule.id)
    given = getattr(message, rule.kind)
    if rule.kind is RuleKind.PHRASE:
        given.phrases.extend(rule.phrases)
        given.said_by = rule.said_by
    else:
        setattr(given, _BOUNDS[rule.kind][0], rule.bound)
        if rule.window_s:
            given.window_s = rule.window_s
    return message
