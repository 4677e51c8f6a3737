"""Which words go to whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.diarization.resegmentation import SpeakerSegment
from inference.models import RecognisedWord
from inference.speakers.word_attribution import words_by_segment


def segment(speaker: int, start_s: float, end_s: float, *, overlapping: bool = False) -> SpeakerSegment:
    return SpeakerSegment(start_s, end_s, speaker, 0, 0, overlapping)


def spoken(text: str, start_s: float, step_s: float = 0.25) -> list[RecognisedWord]:
    """One word after another."""
    return [
        RecognisedWord(word, start_s + place * step_s, start_s + (place + 1) * step_s, 0.9)
        for place, word in enumerate(text.split())
    ]


def told(segments: list[SpeakerSegment], words: list[RecognisedWord]) -> list[str]:
    """What each segment says."""
    said = words_by_segment(segments, words)
    return [" ".join(word.text for word in said[place]) for place in range(len(segments))]


def test_a_word_goes_to_whom_it_overlaps_most_or_else_to_the_nearest() -> None:
    words = [*spoken("one two three", 0.0, 1.0), *spoken("late", 9.0)]
    assert told([segment(1, 0, 1.3), segment(2, 1.6, 4)], words) == ["one", "two three late"]


def test_who_speaks_beside_others_gets_no_words() -> None:
    assert told([segment(1, 0, 4), segment(2, 1, 2, overlapping=True)], spoken("one two three four", 0, 1)) == [
        "one two three four",
        "",
    ]


def test_the_speaker_changes_where_a_sentence_ends_close_by() -> None:
    # The floor changes at 1.0 s, within a sentence of four words that ends at 1.5 or at 0.5 s.
    early, late = [segment(1, 0, 1.0), segment(2, 1.0, 3)], spoken("a b c d e f. g h", 0)
    assert told(early, late) == ["a b c d e f.", "g h"]
    assert told(early, spoken("a b? c d e f g h", 0)) == ["a b?", "c d e f g h"]
    assert told(early, spoken("いい 天気 です 。 はい そう です ね", 0)) == ["いい 天気 です 。", "はい そう です ね"]


def test_the_nearest_end_of_a_sentence_counts() -> None:
    assert told([segment(1, 0, 1.0), segment(2, 1.0, 3)], spoken("a b. c d e. f g h", 0)) == ["a b. c d e.", "f g h"]


def test_a_change_far_from_the_end_of_a_sentence_stays() -> None:
    segments = [segment(1, 0, 1.0), segment(2, 1.0, 3)]
    assert told(segments, spoken("a. b c d e f g. h", 0)) == ["a. b c d", "e f g. h"]
    assert told(segments, spoken("a b c d e f g h", 0)) == ["a b c d", "e f g h"]


def test_each_change_of_several_is_looked_at() -> None:
    segments = [segment(1, 0, 1.0), segment(2, 1.0, 1.25), segment(1, 1.25, 3)]
    assert told(segments, spoken("a b. c d e f. g h", 0)) == ["a b.", "c d e f.", "g h"]


def test_nobody_loses_their_last_word() -> None:
    assert told([segment(1, 0, 0.25), segment(2, 0.25, 1)], spoken("so yes. well", 0)) == ["so yes.", "well"]
    assert told([segment(1, 0, 0.25), segment(2, 0.25, 1)], spoken("so well yes.", 0)) == ["so", "well yes."]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.floats(0.1, 3), st.booleans()), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from(["a", "b.", "c?"]), st.floats(0, 20)), max_size=30),
)
def test_every_word_is_said_once(pieces: list[tuple[int, float, bool]], starts: list[tuple[str, float]]) -> None:
    segments, now_s = [segment(1, 0, 1)], 1.0
    for speaker, length_s, overlapping in pieces:
        segments.append(segment(speaker, now_s, now_s + length_s, overlapping=overlapping))
        now_s += 0 if overlapping else length_s
    words = [RecognisedWord(text, start_s, start_s + 0.2, 0.9) for text, start_s in starts]
    said = words_by_segment(segments, words)
    assert sorted(map(id, (word for own in said.values() for word in own))) == sorted(map(id, words))
    assert not any(segments[place].overlapping for place, own in said.items() if own)
