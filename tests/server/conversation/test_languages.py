"""The language of a conversation: the one in which most time is spoken, on however many tracks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.conversation import (
    Conversation,
    EngineCapabilities,
    FinishedEvent,
    ReadyEvent,
    Segment,
    TurnEvent,
    TurnState,
    Word,
    fold,
)
from server.conversation.fold import Event
from server.conversation.languages import most_spoken_language, primary_tag, speech_us_by_language, weighted_confidence
from server.conversation.tracks import TrackConversation, merge_tracks

S = 1_000_000
ENGINE = EngineCapabilities(languages=("de", "en", "fr"))


def spoken(number: int, language: str, seconds: int, *, words: bool = True) -> Segment:
    said = (Word("w", number * 100 * S, number * 100 * S + S, None),) if words else ()
    return Segment(number, 1, number * 100 * S, (number * 100 + seconds) * S, said, language=language)


def heard(segments: Sequence[Segment], language: str = "", confidence: float | None = None) -> Conversation:
    """What a session says that was heard."""
    events: list[Event] = [
        ReadyEvent(ENGINE),
        FinishedEvent(1000 * S, language=language, language_confidence=confidence),
    ]
    return fold([*events, *(TurnEvent(1, TurnState.FINAL, segment) for segment in segments)])


def language_of(*tracks: Conversation) -> tuple[str, float | None]:
    whole = merge_tracks(
        [TrackConversation(talk, 0, lambda label: label, place) for place, talk in enumerate(tracks)], len(tracks)
    )
    return whole.language, whole.language_confidence


@pytest.mark.parametrize(
    ("tag", "primary"), [("", ""), ("en", "en"), ("en-GB", "en"), ("ZH-Hant-TW", "zh"), ("yue", "yue")]
)
def test_a_primary_tag_is_the_language_alone(tag: str, primary: str) -> None:
    assert primary_tag(tag) == primary


def test_a_session_is_in_the_language_of_most_of_the_time_with_words() -> None:
    segments = [spoken(1, "de", 20), spoken(2, "en", 15), spoken(3, "de", 5), spoken(4, "en", 60, words=False)]
    talk = heard(segments, "de", 0.8)
    assert (talk.language, talk.language_confidence) == ("de", 0.8)
    assert Conversation.from_document(talk.to_document()) == talk


def test_how_sure_the_engine_is_of_one_language_says_nothing_of_another() -> None:
    talk = heard([spoken(1, "en", 20)], "de", 0.8)
    assert (talk.language, talk.language_confidence) == ("en", None)


def test_where_nothing_is_known_no_language_is_told() -> None:
    assert language_of(heard([])) == ("", None)
    assert language_of(heard([spoken(1, "", 20)], "", None)) == ("", None)


def test_of_two_alike_the_choice_does_not_depend_on_their_order() -> None:
    assert most_spoken_language(speech_us_by_language([spoken(1, "fr", 5), spoken(2, "de", 5)])) == "de"
    assert most_spoken_language(speech_us_by_language([spoken(1, "de", 5), spoken(2, "fr", 5)])) == "de"


def test_several_tracks_are_in_the_language_of_most_of_their_time_as_sure_as_those_that_say_it() -> None:
    german, also, english = (
        heard([spoken(1, "de", 30)], "de", 0.5),
        heard([spoken(1, "de", 10), spoken(2, "fr", 5)], "de", 0.9),
        heard([spoken(1, "en", 39)], "en", 0.99),
    )
    assert language_of(german) == ("de", 0.5)
    assert language_of(german, also, english) == ("de", 0.6)
    assert language_of(english, also) == ("en", 0.99)
    # A language that was given is not a guess.
    assert language_of(heard([spoken(1, "de", 30)], "de"), heard([spoken(1, "de", 3)], "de")) == ("de", None)


def test_a_mean_of_nothing_is_not_known() -> None:
    assert weighted_confidence([]) is None
    assert weighted_confidence([(None, 5), (0.5, 0)]) is None
    assert weighted_confidence([(None, 5), (0.5, 1), (1.0, 3)]) == 0.875
