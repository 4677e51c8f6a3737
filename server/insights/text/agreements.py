"""What a meeting agreed on, by rules of spoken English: who is to do what by when, and what was decided.

A rule reads one sentence, and whether others assent to it. ``python -m benchmarks.notes`` measures them on the AMI
meetings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.conversation import Sentence
from server.insights.text.spoken_english import addressed_name, as_name, find_assent, find_date, plain

# A shorter sentence says nothing by itself, a longer one is no single point.
MIN_WORDS, MAX_WORDS, MAX_CHARACTERS = 4, 60, 600
# What a sentence needs, and what each finding adds to it; chosen on every other one of the AMI meetings.
MIN_ACTION, MIN_DECISION = 12, 9
UNDERTAKEN, REQUESTED, FOR_EVERYBODY = 10, 7, 5
DECIDED, CHOSEN = 12, 9
ASSENT, DATE, DOUBT = 2, 4, -3
# Tasks are handed out at the end of a meeting: what its last parts add, by the share of the meeting before them.
LATE = ((0.8, 4), (0.6, 2))
# Of a meeting, the strongest.
MAX_FOUND = 100

# What is done after a meeting. Verbs of presenting ("show", "go through", "start") announce the next minute instead.
_WORK = (
    r"(?:send|e-?mail|mail|forward|post|circulate|upload|write|type up|draft|document|prepare|finish|finali[sz]e"
    r"|complete|update|fix|repair|implement|build|deploy|look (?:in)?to|look (?:at|over|up|after)|have a look"
    r"|take a look|take care of|deal with|check|find out|investigate|research|review|test|work (?:on|out)|set up"
    r"|arrange|organi[sz]e|schedule|book|order|contact|call (?:him|her|them|up|back)|ask|talk (?:to|with)"
    r"|speak (?:to|with)|get (?:back|in touch|us|you|them)|come up with|come back|follow up|report back|collect"
    r"|gather|put (?:together|it|them|that|this)|attach|share (?:it|them|the|my)|submit|sign|buy|pay|hire|invite"
    r"|print|design|evaluate|do (?:it|that|this|the|some|a|an|all)|(?:sending|e-?mailing|mailing|forwarding"
    r"|posting|circulating|uploading|writing|typing up|drafting|documenting|preparing|finishing|finali[sz]ing"
    r"|completing|updating|fixing|implementing|building|deploying|looking (?:in)?to|looking (?:at|over|up|after)"
    r"|taking care of|dealing with|checking|finding out|investigating|researching|reviewing|testing|working (?:on"
    r"|out)|setting up|arranging|organi[sz]ing|scheduling|booking|contacting|asking|coming up with|following up"
    r"|reporting back|collecting|gathering|designing|evaluating|doing (?:the|some|a|that|this)))\b"
)
_ADVERBS = (
    r"(?:(?:just|also|then|probably|maybe|certainly|definitely|have to|need to|try to|try and|go and|be"
    r"|please|mind|guys) )*"
)
_COMMITMENT = re.compile(
    rf"\b(?:i'll|i will|i'm going to|i'm gonna|i am going to|i shall|i can|i need to|i have to) {_ADVERBS}{_WORK}"
)
_ASSIGNMENT = re.compile(
    r"\b(?:you'll|you will|you're going to|you're gonna|you are going to|you need to|you have to|you should"
    rf"|(?:the )?(?:two|three) of you (?:will|can|should)) {_ADVERBS}{_WORK}"
)
_TASK = re.compile(
    r"\b(?:your|my|his|her|our|the) (?:next )?(?:task|job|action|homework|assignment)s? (?:is|are|will be|would be)\b"
    r"|\baction (?:item|point)s?\b|\b(?:i|we) want you to\b|\bi(?:'d| would) like you to\b|\bwe need you to\b"
)
_THIRD_PERSON = re.compile(
    r"\b(?P<who>the (?:[\w-]+ ){1,3}|[^\W\d_]+ )(?:is going to|is gonna|will|has to|needs to|should) "
    rf"{_ADVERBS}{_WORK}"
)
_REQUEST = re.compile(
    rf"\b(?:can|could|would|will) you {_ADVERBS}{_WORK}|\bwould you mind\b[^?]*\b(?:can|could) you {_ADVERBS}{_WORK}"
    rf"|\bplease {_WORK}"
)
_EVERYBODY = re.compile(
    r"\b(?:we'll|we (?:all )?(?:will|have to|need to|should|must)|everybody (?:has|needs) to"
    rf"|everyone (?:has|needs) to|each of you)\b [^.?!]{{0,40}}?\b{_WORK}"
)
# Words before "will" that are nobody's name and no role.
_NOBODY = frozenset("i you we they he she it that this there what which who these those people".split())

_DECIDED = re.compile(
    r"\b(?:we|we've|we have)(?: all)?(?: already| just| now| then| both)? (?:decided|agreed|settled|concluded|chosen)\b"
    r"|\b(?:that's our|final|unanimous|joint) decision\b|\b(?:the|our) decision (?:is|was)\b"
    r"|\b(?:that's|it's|that is|it is) (?:decided|agreed|settled|a deal)\b|\bgeneral opinion\b|\bconsensus\b"
)
# What follows a choice when nothing is chosen: "let's have a look", "we'll do that".
_NOTHING = r"(?! a (?:look|break)| some| look| advantage| it\b| that\b| this\b| them\b)"
_CHOICE = re.compile(
    r"\b(?:let's|let us) (?:just |then |all )*(?:(?:go|stick) (?:for|with|to)|use|keep|have|make|say|put|choose|pick"
    rf"|assume|drop|skip){_NOTHING}\b"
    r"|\b(?:we'll|we will|we're going to|we're gonna|we are going to|we shall) (?:just |then |definitely |also |only )*"
    rf"(?:(?:go|stick) (?:for|with|to)|use|keep|choose|pick|make|take|drop|skip|sell|charge){_NOTHING}\b"
    r"|\b(?:we're|we are) (?:then |definitely |now )*(?:going (?:for|with)|sticking (?:to|with)|using|keeping)\b"
    r"|\bwe (?:should|can|could) (?:just |then |definitely )*(?:go|stick) (?:for|with)\b"
    r"|\bi(?:'d| would) (?:say|suggest) (?:that )?(?:we|it)\b|\bso we go (?:for|with)\b"
)
_AMOUNT = (
    r"(?:\d|percent|euros?|dollars?|pounds?|million|thousand|hundred|ten|twelve|fifteen|twenty|thirty|forty|fifty)"
)
_SETTLED = re.compile(
    r"\bwe(?: want|'d like| would like| aim| need) [^.?!]{0,30}?\b(?:sell|make|reach|spend|keep|produce|profit)\b"
    rf"[^.?!]*\b{_AMOUNT}"
    r"|\b(?:costs?|price|budget|profit|target)\b[^.?!]{0,20}?"
    rf"\b(?:is|are|will be|must be|should be|has to be|needs? to)\b[^.?!]*\b{_AMOUNT}"
    rf"|\bneeds? to cost\b[^.?!]*\b{_AMOUNT}"
)
_DOUBT = re.compile(
    r"\b(?:if|whether|or not|maybe|perhaps|might|could|would|dunno|don't know|not sure|i guess|i think|wonder|unless"
    r"|probably)\b"
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Something agreed on."""

    places: tuple[int, ...]
    """Of its sentences among all of the meeting: the one that says it, then one that assents."""
    speaker: int | None = None
    """Number of the speaker who is to do it; None if unknown, or if nobody is."""
    person: str | None = None
    """Who is to do it, as named; None if no name is said."""
    due: str | None = None
    """Until when, as said; None if nothing is said of it."""


def find_action_items(sentences: Sequence[Sentence], duration_us: int, places: Sequence[int]) -> list[Agreement]:
    """Return what somebody undertook, was told or was asked to do, in time order; at most 100, the clearest.

    Args:
        sentences: all of the meeting.
        duration_us: its length, microseconds.
        places: of the English ones among them.
    """
    found = []
    for place, text, assent in _candidates(sentences, places):
        item, strength = _action_item(sentences, place, text, assent)
        share = sentences[place].start_us / duration_us if duration_us else 0.0
        strength += next((bonus for after, bonus in LATE if share > after), 0)
        if item is not None and strength >= MIN_ACTION:
            found.append((strength, item))
    # Who says "yes, I'll send it" to a request undertakes nothing more.
    assents = {item.places[1] for _, item in found if len(item.places) > 1}
    return _clearest([(strength, item) for strength, item in found if item.places[0] not in assents])


def find_decisions(sentences: Sequence[Sentence], places: Sequence[int]) -> list[Agreement]:
    """Return what was decided, chosen or settled; arguments and order as of ``find_action_items``."""
    found = []
    for place, text, assent in _candidates(sentences, places):
        if sentences[place].asks:
            continue
        strength = DECIDED if _DECIDED.search(text) else CHOSEN if _CHOICE.search(text) or _SETTLED.search(text) else 0
        strength += (DOUBT if _DOUBT.search(text) else 0) + (ASSENT if assent is not None else 0)
        if strength >= MIN_DECISION:
            found.append((strength, Agreement(_with_assent(place, assent))))
    return _clearest(found)


def _candidates(sentences: Sequence[Sentence], places: Sequence[int]) -> Iterator[tuple[int, str, int | None]]:
    for place in places:
        if len(sentences[place].text) > MAX_CHARACTERS:
            continue
        text = plain(sentences[place].text)
        if MIN_WORDS <= len(text.split()) <= MAX_WORDS:
            yield place, text, find_assent(sentences, place)


def _clearest(found: list[tuple[int, Agreement]]) -> list[Agreement]:
    clearest = sorted(found, key=lambda pair: -pair[0])[:MAX_FOUND]
    return sorted((agreement for _, agreement in clearest), key=lambda agreement: agreement.places)


def _with_assent(place: int, assent: int | None) -> tuple[int, ...]:
    return (place,) if assent is None else (place, assent)


def _action_item(
    sentences: Sequence[Sentence], place: int, text: str, assent: int | None
) -> tuple[Agreement | None, int]:
    """Return what a sentence asks somebody to do, and how clearly; None if nothing."""
    said, places = sentences[place], _with_assent(place, assent)
    due = next((date for each in places if (date := find_date(sentences[each].text[:MAX_CHARACTERS]))), None)
    added = (DATE if due else 0) + (ASSENT if assent is not None else 0)
    if _REQUEST.search(text):
        name = addressed_name(text)
        answering = sentences[assent].speaker if assent is not None and name is None else None
        return Agreement(places, answering, name, due), REQUESTED + added
    if said.asks:
        return None, 0
    added += DOUBT if _DOUBT.search(text) else 0
    if _COMMITMENT.search(text):
        return Agreement(places, said.speaker or None, None, due), UNDERTAKEN + added
    if _ASSIGNMENT.search(text):
        return Agreement(places, None, addressed_name(text), due), UNDERTAKEN + added
    if _TASK.search(text):
        return Agreement(places, None, None, due), UNDERTAKEN + added
    other = _THIRD_PERSON.search(text)
    if other and (who := other["who"].strip()) not in _NOBODY:
        person = who if who.startswith("the ") else as_name(who)
        return Agreement(places, None, person, due), UNDERTAKEN + added
    if _EVERYBODY.search(text):
        return Agreement(places, None, None, due), FOR_EVERYBODY + added
    return None, 0
