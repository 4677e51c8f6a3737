"""The words of live events, with what is final of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meetra.v1 import live_pb2 as pb

from server.conversation import Word

LONGEST_WORD_US = 60_000_000
FINAL, PROVISIONAL = pb.LIVE_WORD_STABILITY_FINAL, pb.LIVE_WORD_STABILITY_PROVISIONAL


def to_ms(us: int) -> int:
    """Round microseconds to whole milliseconds, the unit of events."""
    return round(us / 1000)


def word_messages(words: Iterable[Word], final_through_us: int) -> list[pb.LiveWord]:
    """Return words as they are published; those that end at or before ``final_through_us`` are final."""
    return [
        pb.LiveWord(
            text=word.text,
            start_ms=to_ms(word.start_us),
            end_ms=to_ms(word.end_us),
            confidence=word.confidence,
            stability=FINAL if _ends_by(word, final_through_us) else PROVISIONAL,
        )
        for word in words
    ]


def words_of(turn: pb.LiveTurn) -> tuple[Word, ...]:
    """Return the words of a published turn; ``word_messages`` is the inverse, to the millisecond."""
    return tuple(
        Word(w.text, w.start_ms * 1000, w.end_ms * 1000, w.confidence if w.HasField("confidence") else None)
        for w in turn.words
    )


def become_final(words: Sequence[Word], before_us: int, through_us: int) -> bool:
    """Return whether one of a turn's words becomes final as the moment up to which words are moves on."""
    # Of a long meeting most turns are final long since.
    if not words or words[-1].start_us < before_us - LONGEST_WORD_US:
        return False
    return any(_ends_by(word, through_us) and not _ends_by(word, before_us) for word in words)


def final_words_through_us(turn: pb.LiveTurn) -> int:
    """Return the end of the last word of a published turn that is final, microseconds; 0 without one."""
    return 1000 * max((word.end_ms for word in turn.words if word.stability == FINAL), default=0)


def _ends_by(word: Word, moment_us: int) -> bool:
    # By published times, so that words agree with the watermark.
    return to_ms(word.end_us) <= moment_us // 1000
