"""Where words go depends on the words and the segments alone, and segments know when they have all of theirs."""

from __future__ import annotations

import numpy as np
import pytest

from inference.diarization.speech_segments import SpeechSegment, SpeechSegmenter
from inference.models import RecognisedWord
from inference.words.word_placement import NEAREST_WITHIN_S, WordPlacement

WINDOW_S = 0.032


def word(start_s: float, end_s: float) -> RecognisedWord:
    return RecognisedWord(f"{start_s:.3f}", start_s, end_s, None)


def wanted(found: RecognisedWord, segments: list[SpeechSegment]) -> int:
    """The rule, with everything known."""
    closeness = [min(found.end_s, s.end_s) - max(found.start_s, s.start_s) for s in segments]
    if max(closeness) < -NEAREST_WITHIN_S:
        return max((n for n, s in enumerate(segments) if s.start_s <= found.start_s), default=0)
    return int(np.argmax(closeness))


@pytest.mark.parametrize("seed", range(40))
def test_words_go_where_the_rule_says_whenever_they_come(seed: int) -> None:
    chance = np.random.default_rng(seed)
    windows = 2000
    lengths = chance.geometric(0.03, windows)
    speech = np.repeat(np.arange(windows) % 2, lengths)[:windows].astype(np.float32)
    speech[chance.random(windows) < 0.02] = 1.0  # some of them too short for a segment
    if seed % 2:
        speech[600:1000] = 0.0
    starts = np.sort(chance.uniform(0, windows * WINDOW_S - 1, 150))
    words = [word(start, start + chance.uniform(0, 0.8)) for start in starts]
    late_s = chance.uniform(0.1, 2.0)

    segmenter, placement = SpeechSegmenter(WINDOW_S), WordPlacement()
    segments: list[SpeechSegment] = []
    waiting, settled = list(words), dict[int, list[RecognisedWord]]()
    for first in range(0, windows, 16):
        heard_s = min(windows, first + 16) * WINDOW_S
        known_s = heard_s - late_s
        while waiting and waiting[0].start_s < known_s:
            placement.add(waiting.pop(0))
        for segment in segmenter.push(speech[first : first + 16]):
            placement.close_segment(len(segments), segment)
            segments.append(segment)
            assert placement.awaits_words(len(segments) - 1)
        if (under_way := segmenter.open_segment) is not None:
            placement.extend_segment(len(segments), under_way)
            assert placement.awaits_words(len(segments))
        else:
            placement.abandon_segment()
        placement.assign(heard_s, known_s)
        for number in placement.pop_changed_segments():
            if not placement.awaits_words(number):
                settled.setdefault(number, placement.segment_words(number))
        assert len(placement._closed) < 60
    for segment in segmenter.finish(windows * WINDOW_S):
        placement.close_segment(len(segments), segment)
        segments.append(segment)
    for left in waiting:
        placement.add(left)
    placement.abandon_segment()
    placement.assign(1e9, 1e9)

    assert len(segments) > 5
    placed = {number: placement.segment_words(number) for number in range(len(segments))}
    assert placed == {n: [w for w in words if wanted(w, segments) == n] for n in range(len(segments))}
    assert not any(map(placement.awaits_words, placed))
    assert len(settled) > 5
    for number, known in settled.items():
        late = [w for w in placed[number] if w not in known]
        assert all(w.start_s - segments[number].end_s > NEAREST_WITHIN_S for w in late), (
            "only words far from all speech"
        )


def test_words_before_all_speech_go_to_the_first_segment_and_hold_nothing_up() -> None:
    placement = WordPlacement()
    placement.add(word(1.0, 1.4))
    placement.assign(10.0, 8.0)
    assert placement.first_unassigned_s() == float("inf")
    placement.close_segment(0, SpeechSegment(11.0, 12.0))
    placement.assign(13.0, 12.0)
    assert placement.pop_changed_segments() == {0}
    assert [found.start_s for found in placement.segment_words(0)] == [1.0]


def test_a_word_between_two_segments_waits_until_the_second_may_be_nearer() -> None:
    placement = WordPlacement()
    placement.close_segment(0, SpeechSegment(0.0, 2.0))
    placement.add(word(2.6, 2.8))
    placement.assign(3.2, 3.0)
    assert placement.first_unassigned_s() == 2.6
    placement.close_segment(1, SpeechSegment(3.1, 4.0))
    placement.assign(4.0, 3.5)
    assert [placement.segment_words(0), [w.start_s for w in placement.segment_words(1)]] == [[], [2.6]]
    assert not placement.awaits_words(0)
    assert placement.awaits_words(1)
