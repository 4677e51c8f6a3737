"""Detection of what is to be redacted, in the words of one stream: a speaker's, or all of a track."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from server.conversation import RedactionKind, Word
from server.redaction.cards import find_card
from server.redaction.context import Context
from server.redaction.digit_runs import find_runs
from server.redaction.emails import find_email
from server.redaction.ibans import find_iban
from server.redaction.names import NameFinder
from server.redaction.phones import find_phone
from server.redaction.spoken_numbers import DigitGroup, bare, find_digit_groups

# Words in which the letters before the first digits of an account are spelled: "D as in delta E as in echo".
MAX_LETTER_WORDS = 10
# Where two overlap, the earlier kind in this order holds.
PRECEDENCE = (
    RedactionKind.IBAN,
    RedactionKind.CARD,
    RedactionKind.EMAIL,
    RedactionKind.PHONE,
    RedactionKind.NAME,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive words of a stream that are redacted."""

    kind: RedactionKind
    first: int
    """Index of the first word."""
    last: int
    """Index of the last word, inclusive."""


@dataclass(frozen=True)
class RedactionRules:
    """What is redacted in a meeting."""

    kinds: frozenset[RedactionKind] = frozenset()
    names: NameFinder = field(default_factory=lambda: NameFinder(()))
    """Used where ``kinds`` has NAME."""

    @classmethod
    def create(
        cls, kinds: Iterable[RedactionKind], names: Collection[str] = (), *, any_given_name: bool = False
    ) -> RedactionRules:
        """Return the rules of a meeting.

        Args:
            names: names of its people.
            any_given_name: whether every common given name counts as one of a speaker.
        """
        return cls(frozenset(kinds), NameFinder(names, any_given_name=any_given_name))


def find_spans(words: Sequence[Word], rules: RedactionRules, language: str = "") -> list[Span]:
    """Return what is redacted in the words of a stream, in order, without overlaps.

    Args:
        words: in time order.
        language: BCP 47 primary tag of most of them; empty if unknown.
    """
    if not words or not rules.kinds:
        return []
    texts = [word.text for word in words]
    context = Context([bare(text) for text in texts])
    groups = find_digit_groups(texts, language) if rules.kinds - {RedactionKind.NAME} else []
    found: list[Span] = []
    taken: set[int] = set()

    def take(kind: RedactionKind, spans: Iterable[tuple[int, int]]) -> None:
        for first, last in spans:
            covered = range(first, last + 1)
            if taken.isdisjoint(covered):
                found.append(Span(kind, first, last))
                taken.update(covered)

    for kind in PRECEDENCE:
        if kind not in rules.kinds:
            continue
        if kind is RedactionKind.IBAN:
            take(kind, _find_ibans(texts, groups, context))
        elif kind is RedactionKind.EMAIL:
            take(kind, filter(None, (find_email(texts, index, context, language) for index in range(len(texts)))))
        elif kind is RedactionKind.NAME:
            take(kind, rules.names.find(texts))
        else:
            free = [group for group in groups if taken.isdisjoint(range(group.first, group.last + 1))]
            take(kind, _find_numbers(kind, words, free, context, language))
    return sorted(found, key=lambda span: span.first)


def _find_ibans(texts: Sequence[str], groups: Sequence[DigitGroup], context: Context) -> list[tuple[int, int]]:
    by_first_word = {group.first: group for group in groups}
    # An account has digits within its first words.
    starts = {index for group in groups for index in range(group.first - MAX_LETTER_WORDS, group.last + 1)}
    starts |= {
        index
        for index, text in enumerate(texts)
        if text[:1].isalpha() and sum(character.isdecimal() for character in text) > 1
    }
    spans: list[tuple[int, int]] = []
    for index in sorted(start for start in starts if start >= 0):
        if spans and index <= spans[-1][1]:
            continue
        span = find_iban(texts, index, by_first_word, context)
        if span is not None:
            spans.append(span)
    return spans


def _find_numbers(
    kind: RedactionKind, words: Sequence[Word], groups: Sequence[DigitGroup], context: Context, language: str
) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    pending = list(find_runs(words, groups))
    while pending:
        run = pending.pop()
        found = find_card(run, context) if kind is RedactionKind.CARD else find_phone(run, context, language)
        if found is None:
            continue
        spans.append((found.first, found.last))
        # A run may hold two numbers one after the other.
        pending.extend(
            rest
            for rest in (
                tuple(group for group in run if group.last < found.first),
                tuple(group for group in run if group.first > found.last),
            )
            if rest
        )
    return spans
