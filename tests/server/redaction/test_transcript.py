"""Segments are redacted across each other, and audio by the times of the same words."""

from __future__ import annotations

from dataclasses import replace

from server.conversation import RedactionKind, Segment, Word
from server.redaction import RedactedSpan, RedactionRules, padded_ranges_ms, redact_segments
from tests.server.redaction.words import segment

RULES = RedactionRules.create(RedactionKind, ["Daniel"])


def texts(*segments: Segment) -> list[str]:
    return [" ".join(word.text for word in s.words) for s in redact_segments(segments, RULES).segments]


def test_a_placeholder_has_the_times_and_the_confidence_of_its_words() -> None:
    words = tuple(Word(text, i * 100, i * 100 + 90, 0.5 + i / 10) for i, text in enumerate("ann at x.com, ok".split()))
    (redacted,) = redact_segments([Segment(1, 1, 0, 400, words, language="en")], RULES).segments
    assert [(word.text, word.start_us, word.end_us) for word in redacted.words] == [
        ("[EMAIL],", 0, 290),
        ("ok", 300, 390),
    ]
    confidence = redacted.words[0].confidence
    assert confidence is not None
    assert round(confidence, 6) == 0.6


def test_punctuation_stays_and_possessives_of_names_do() -> None:
    assert texts(segment(1, 1, "Is it Daniel's? Call 415-555-0123! It's ann@example.com.")) == [
        "Is it [NAME]'s? Call [PHONE]! It's [EMAIL]."
    ]


def test_a_number_goes_on_in_the_next_segment_whatever_others_say_between() -> None:
    first = segment(1, 1, "my card is 4111 1111", 0)
    other = segment(2, 2, "mhm", 1_600_000)
    second = segment(3, 1, "1111 1111 thanks", 2_000_000)
    assert texts(first, other, second) == ["my card is [CARD]", "mhm", "[CARD] thanks"]


def test_a_number_whose_words_went_to_two_speakers_is_found() -> None:
    first, second = segment(1, 1, "well it is 4111 1111", 0), segment(2, 2, "1111 1111 thanks", 1_600_000)
    redacted = redact_segments([first, second], RULES)
    assert [" ".join(w.text for w in s.words) for s in redacted.segments] == ["well it is [CARD]", "[CARD] thanks"]
    assert redacted.spans == (RedactedSpan(RedactionKind.CARD, 900_000, 2_150_000),)


def test_segments_without_anything_are_unchanged() -> None:
    plain = [segment(1, 1, "nothing here at all"), segment(2, 2, "")]
    redacted = redact_segments(plain, RULES)
    assert list(redacted.segments) == plain
    assert redacted.spans == ()
    assert redact_segments(plain, RedactionRules()).segments == tuple(plain)


def test_times_and_speakers_of_segments_are_kept() -> None:
    before = segment(1, 1, "I am ann@example.com and Daniel", 5_000_000)
    (after,) = redact_segments([before], RULES).segments
    assert replace(after, words=before.words) == before


def test_ranges_have_a_margin_and_do_not_overlap() -> None:
    spans = [
        RedactedSpan(RedactionKind.NAME, 100_000, 400_000),
        RedactedSpan(RedactionKind.CARD, 900_500, 1_500_000),
        RedactedSpan(RedactionKind.NAME, 9_900_000, 10_000_000),
    ]
    assert padded_ranges_ms(spans, 10_000_000, 250) == [[0, 1750], [9650, 10_000]]
    assert padded_ranges_ms(spans, 10_000_000, 0) == [[100, 400], [900, 1500], [9900, 10_000]]
    assert padded_ranges_ms([], 1, 250) == []
