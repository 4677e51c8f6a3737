"""Question detection: by punctuation where the text has it, else by English syntax.

The rules cover wh-fronting, auxiliary inversion, tags, declaratives that end in a question word, and the elliptic
questions of meetings ("anything else", "any comments"). Measured by ``python -m benchmarks.text``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from server.conversation.languages import ENGLISH
from server.conversation.writing import has_question_mark

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)

# Discourse markers before a sentence and after it.
_OPENERS = frozenset(
    """
        um uh er erm hmm hm mm mhm ah oh so well and but or okay ok kay right yeah yep yes no nope now then
        like alright also actually basically because cause anyway just sorry hey hi hello excuse me wait
    """.split()
)
_OPENING_PHRASES = (["i", "mean"], ["you", "know"], ["i", "guess"], ["let's", "see"])
_CLOSERS = frozenset(["um", "uh", "er", "then", "though", "anyway", "again", "exactly", "now"])
_WH = frozenset(["what", "why", "who", "whose", "whom", "when", "where", "which", "how"])
_WH_CONTRACTED = re.compile(r"(what|why|who|when|where|how)(['’](s|re|d|ll|ve)|s)$")
_NEGATED = """
    isn aren wasn weren don doesn didn can couldn won wouldn shouldn haven hasn hadn ain mustn
""".split()
_AUXILIARIES = frozenset(
    """
        is are was were am do does did can could will would shall should may might must have has had
    """.split()
    + [f"{stem}'t" for stem in _NEGATED]
    + [f"{stem}t" for stem in _NEGATED if stem not in ("can", "won")]
)
_PRONOUNS = frozenset(
    """
    i you we they he she it this that there these those
    """.split()
)
_SUBJECTS = _PRONOUNS | frozenset(
    """
        the a an any anyone anybody anything everyone everybody everything someone somebody something people
        your my our his her their its all both one each either
    """.split()
)
# These also begin commands ("have a look", "do it"), so they need a subject that no command has.
_STRICT = {
    "do": frozenset(
        """
    you we they i these those people any all your our the
    """.split()
    ),
    "have": frozenset(["you", "we", "they", "i", "any", "all", "these", "those", "your", "our"]),
    "had": frozenset(["you", "we", "they", "i", "he", "she", "it"]),
    "may": frozenset(["i", "we"]),
    "might": frozenset(["i", "we", "it"]),
    "can": _SUBJECTS,
}
_DO_NOT_ASK = re.compile(
    r"^(what (i|we|you|he|she|they|it|the \w+) (?!is\b|are\b|was\b|do\b|does\b|did\b|can\b|could\b|would\b|should\b)"
    r"|when (i|you|we|they|he|she|it|the|that|there|people)\b|where (i|you|we|they|he|she|it|the|there|people)\b"
    r"|which (is|was|means|makes|are|were|i|we|you|they|he|it|has|had|can|could|would be|will be|should be)\b"
    r"|how (i|we|they|he|she|it|the|to)\b|who (is|was|are|were) (going|supposed|the)? ?\b(?=\w+ing\b)"
    r"|why (i|we|they|he|she|it)\b|what a\b|what an\b|whatever|however"
    r"|do (the|your|our|all)\b (?!\w+ (have|know|think)))"
)
_ELLIPTIC = re.compile(
    r"^(any (other )?(questions?|comments?|ideas?|thoughts?|suggestions?|objections?|opinions?|more|others?|news)\b"
    r"|(anything|anyone|anybody|something|what|who|where|how|which) else\b|(what|how) about\b|how come\b|why not\b"
    r"|what if\b|which one\b|which ones\b|how (many|much|long|often|far|big|large|old|well|do|does|did|is|are)\b"
    r"|what (kind|sort|type|time|colou?r|part|do|does|did|is|are|was|were|would|should|can|could|will)\b"
    r"|what (happened|happens)\b"
    r"|you mean\b|does any|is any|are any|did any|has any|have any|do any|shall we|shall i|ready$|pardon( me)?$)"
)
_TAG = re.compile(
    r"\b((is|are|was|were|do|does|did|can|could|will|would|should|have|has|had)(n['’]?t)|ain['’]?t|won['’]?t|don['’]?t)"
    r" (it|you|we|they|he|she|i|there|that)$"
)
_PLAIN_TAG = re.compile(r"\b(is it|are you|do you|does it|did you|are they|is that|do they|can we|have you|is there)$")
_RIGHT = re.compile(
    r"(?<!that's)(?<!thats)(?<!is)(?<!all)(?<!the)(?<!be)(?<!are)(?<!it's)(?<!you're)(?<!on the) right$"
)
_LAST_WORD = re.compile(r"\b(or what|or not|like what|for what|to what|of what|is what|with what|for who|huh|eh|no\?)$")
_INDIRECT = re.compile(
    r"^(i (wonder|was wondering)|(can|could) (you|anyone|somebody|someone)|do you|would you"
    r"|tell me (what|why|how|where))\b"
)


def is_question(text: str, language: str = ENGLISH, *, punctuated: bool = False) -> bool:
    """Return whether a sentence is a question.

    Args:
        text: one sentence, in any case.
        language: BCP 47 primary tag; syntax rules apply to English only, question marks to all languages.
        punctuated: whether the source text is punctuated. Then only question marks count: rules in addition to them
            measurably lose.
    """
    if has_question_mark(text, language):
        return True
    if language != ENGLISH:
        return False
    words = _strip_markers([token.replace("’", "'") for token in _TOKEN.findall(text.lower())])
    if punctuated or not words:
        return False
    core = " ".join(words)
    return _asks_by_word_order(words, core) or _asks_by_ending(words, core)


# After these a question is reported or continued: "I wonder how we can", "about what".
_REPORTS = frozenset(
    """
    know knows knew wonder wondering ask asked asking tell told see sure understand understood decide decided explain
    explained remember idea matter of about on in to for with at from by is was are were be that and or than as like
    exactly just what why who when where which how if whether not me you us them
    """.split()
)
_ASKING = frozenset("can could will would shall should do did does are is".split())
_ASKED = frozenset("you we i they he she it there anyone anybody somebody someone".split())
MIN_WORDS_BEFORE = 3


def find_question_starts(words: Sequence[str]) -> set[int]:
    """Return the indices in unpunctuated words at which a question clearly begins without a pause.

    A question word followed within four words by an inverted auxiliary ("... the budget | how much money did we"), or
    an inverted auxiliary alone ("... thank you | can you").
    """
    plain = [word.lower() for word in words]
    starts = set()
    for index in range(MIN_WORDS_BEFORE, len(plain) - 2):
        if plain[index - 1] in _REPORTS:
            continue
        if plain[index] in _WH:
            ahead = plain[index + 1 : index + 6]
            if any(a in _ASKING and b in _ASKED for a, b in pairwise(ahead)):
                starts.add(index)
        elif plain[index] in _ASKING and plain[index + 1] in _ASKED and not _inverted_before(plain, index):
            starts.add(index)
    return starts


def _inverted_before(plain: Sequence[str], index: int) -> bool:
    """Return whether a nearby preceding question word governs this auxiliary."""
    return any(word in _WH for word in plain[max(0, index - 5) : index])


def _strip_markers(words: list[str]) -> list[str]:
    """Strip discourse markers around a sentence and repeated beginnings."""
    while len(words) > 1 and (words[0] in _OPENERS or (len(words) > 3 and words[:2] in _OPENING_PHRASES)):
        words = words[1:] if words[0] in _OPENERS else words[2:]
    while len(words) > 1 and words[-1] in _CLOSERS:
        words = words[:-1]
    for length in (3, 2, 1):
        while len(words) > 2 * length and words[:length] == words[length : 2 * length]:
            words = words[length:]
    return words


def _asks_by_word_order(words: list[str], core: str) -> bool:
    first, second = words[0], words[1] if len(words) > 1 else ""
    if _DO_NOT_ASK.match(core):
        return False
    if _ELLIPTIC.match(core) or _INDIRECT.match(core):
        return True
    if first in _WH:
        return _asks_with_question_word(words)
    if _WH_CONTRACTED.match(first):
        return True
    # "in what way", "for how long", "to whom"
    if second in _WH and first in ("in", "for", "to", "at", "by", "with", "from", "on", "of", "about"):
        return any(word in _AUXILIARIES for word in words[2:5])
    if first in _AUXILIARIES:
        return second in _STRICT.get(first, _SUBJECTS)
    return False


def _asks_with_question_word(words: list[str]) -> bool:
    if len(words) <= 2:
        return True
    if words[0] in ("who", "whose", "whom"):
        return words[1] not in _PRONOUNS
    # The verb precedes its subject: "what time does it", "how would we".
    for index, word in enumerate(words[1:5], start=1):
        if word in _AUXILIARIES:
            return True
        if word in _PRONOUNS and index == 1:
            return False
    return words[0] == "why" and len(words) <= 4


def _asks_by_ending(words: list[str], core: str) -> bool:
    if len(words) >= 3 and (_TAG.search(core) or _LAST_WORD.search(core) or words[-1] in ("what", "huh")):
        return True
    if len(words) >= 5 and _PLAIN_TAG.search(core):
        return True
    return len(words) >= 5 and _RIGHT.search(core) is not None
