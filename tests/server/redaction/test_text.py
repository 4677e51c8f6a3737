"""Texts without times: names of files, meetings and speakers."""

from __future__ import annotations

import pytest

from server.conversation import RedactionKind
from server.redaction import RedactionRules, redact_sentence, redact_text

RULES = RedactionRules.create(RedactionKind, ["Daniel Müller"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Weekly sync", "Weekly sync", id="nothing"),
        pytest.param("call_+4915112345678.wav", "call_[PHONE].wav", id="a recorder's file"),
        pytest.param("Interview  with Daniel Müller (2)", "Interview  with [NAME] (2)", id="a person"),
        pytest.param("for ann@example.com", "for [EMAIL]", id="an address at the end"),
        pytest.param("with ann.lee at example.com", "with [EMAIL]", id="an address that is half spoken"),
        pytest.param("ann dot lee at example.com.wav", "[EMAIL].wav", id="a file named by it"),
        pytest.param("team meeting at noon.mp4", "team meeting at noon.mp4", id="a time of day"),
        pytest.param("recording 2026-11-29 10.30.m4a", "recording 2026-11-29 10.30.m4a", id="a date"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_name(text: str, expected: str) -> None:
    assert redact_text(text, RULES) == expected


def test_a_sentence_is_redacted_with_what_is_said_around_it() -> None:
    rules = RedactionRules.create({RedactionKind.PHONE, RedactionKind.NAME}, ["Ada King"], any_given_name=True)
    assert redact_sentence("Ada said hello to Daniel.", rules, "en") == "[NAME] said hello to [NAME]."
    assert redact_sentence("nothing to hide", rules, "en") == "nothing to hide"
    assert redact_sentence("it is 212 555 0173", rules, "en", "my phone number", "ok") == "it is [PHONE]"
    # A number that begins in the sentence before.
    assert redact_sentence("555 0173 is it", rules, "en", "my phone number is 212") == "[PHONE] is it"
    assert redact_sentence("so call 212", rules, "en", "", "555 0173 please") == "so call [PHONE]"
    # What stands beside is not shown, whatever is in it.
    assert redact_sentence("hello", rules, "en", "call 212 555 0173", "Daniel") == "hello"
