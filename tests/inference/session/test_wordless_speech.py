"""Speech without words: each segment counts once, when its words are final."""

from __future__ import annotations

from inference.diarization import SpeechSegment
from inference.models import SAMPLE_RATE_HZ, RecognisedWord
from inference.session.wordless_speech import WordlessSpeech
from tests.monitoring.counting import counting

SEGMENTS = [SpeechSegment(0, 2), SpeechSegment(3, 4), SpeechSegment(6, 10)]
SPEECH = "meetra_engine_speech_seconds_total{kind=live}"
WORDLESS = "meetra_engine_speech_without_words_seconds_total{kind=live}"


def words(*starts_s: float) -> list[RecognisedWord]:
    return [RecognisedWord("word", start_s, start_s + 0.2, None) for start_s in starts_s]


def test_segments_count_as_soon_as_their_words_are_final() -> None:
    said = {0: words(0.5), 1: [], 2: words(7)}
    count = WordlessSpeech(live=True)
    for final_s, expected in ((1.9, {}), (3.5, {SPEECH: 2.0}), (3.5, {}), (11, {SPEECH: 5.0, WORDLESS: 1.0})):
        with counting("meetra_engine_speech") as counted:
            count.count(SEGMENTS, int(final_s * SAMPLE_RATE_HZ), said.__getitem__)
        assert counted == expected, final_s


def test_the_rest_counts_at_the_end_by_all_words_of_the_session() -> None:
    count = WordlessSpeech(live=True)
    count.count(SEGMENTS, 2 * SAMPLE_RATE_HZ, lambda _: words(1))
    with counting("meetra_engine_speech") as counted:
        # The first word is of the first segment, which is counted; the second lies between two segments.
        count.finish(SEGMENTS, words(1, 5, 9.9))
        count.finish(SEGMENTS, [])
    assert counted == {SPEECH: 5.0, WORDLESS: 1.0}


def test_a_session_without_words_is_all_speech_without_words() -> None:
    with counting("meetra_engine_speech") as counted:
        WordlessSpeech(live=False).finish(SEGMENTS, [])
    assert counted == {SPEECH.replace("live", "upload"): 7.0, WORDLESS.replace("live", "upload"): 7.0}
