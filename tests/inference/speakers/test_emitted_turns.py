"""Each change of a live turn is emitted once."""

from __future__ import annotations

from dataclasses import replace

from inference.models import RecognisedWord
from inference.speakers.emitted_turns import MIN_GROWTH_S, EmittedTurns
from inference.stages import TurnEvent, TurnState

TURN = TurnEvent(3001, 1, 2.0, 4.0, (), state=TurnState.PARTIAL)


def test_what_has_not_changed_is_not_emitted_again_and_revisions_rise_by_one() -> None:
    turns = EmittedTurns()
    assert turns.revision(3001) == 0
    assert turns.update(3, [TURN], closed=False) == [replace(TURN, revision=1)]
    assert turns.update(3, [TURN], closed=False) == []
    spoken = replace(TURN, words=(RecognisedWord("yes", 2.1, 2.4, None),))
    assert turns.update(3, [spoken], closed=False) == [replace(spoken, revision=2)]
    assert turns.update(3, [replace(spoken, speaker=2)], closed=False) == [replace(spoken, speaker=2, revision=3)]
    assert turns.revision(3001) == 3


def test_a_turn_that_grows_is_emitted_once_it_has_grown_enough_or_its_speech_has_ended() -> None:
    turns = EmittedTurns()
    turns.update(3, [TURN], closed=False)
    little = replace(TURN, end_s=4.0 + MIN_GROWTH_S / 2)
    assert turns.update(3, [little], closed=False) == []
    assert turns.update(3, [little], closed=True) == [replace(little, revision=2)]
    much = replace(little, end_s=little.end_s + MIN_GROWTH_S)
    assert turns.update(3, [much], closed=False) == [replace(much, revision=3)]


def test_a_turn_that_is_gone_is_retracted_once_without_its_words() -> None:
    turns = EmittedTurns()
    other = replace(TURN, segment_id=3002, start_s=4.0, end_s=5.0, words=(RecognisedWord("no", 4.1, 4.4, None),))
    turns.update(3, [TURN, other], closed=False)
    turns.update(4, [replace(TURN, segment_id=4001)], closed=False)
    (gone,) = turns.update(3, [TURN], closed=False)
    assert (gone.segment_id, gone.state, gone.words, gone.revision) == (3002, TurnState.RETRACTED, (), 2)
    assert turns.update(3, [TURN], closed=False) == []


def test_a_turn_was_stable_only_with_the_same_speaker_and_end() -> None:
    turns = EmittedTurns()
    turns.update(3, [TURN], closed=True)
    assert not turns.is_stable(3001, 1, 4.0)
    turns.update(3, [replace(TURN, state=TurnState.STABLE)], closed=True)
    assert turns.is_stable(3001, 1, 4.0)
    assert not any([turns.is_stable(3001, 2, 4.0), turns.is_stable(3001, 1, 4.5), turns.is_stable(3002, 1, 4.0)])
