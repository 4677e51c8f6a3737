"""Finished meetings as documents show them."""

from __future__ import annotations

from typing import Any, cast

from server.conversation import AlignedWord, Conversation, Move, Reword, Word, apply_edits
from server.documents import (
    DocumentedMeeting,
    corrected_sentences,
    distinct_names,
    timed_speech,
    timed_statements,
    timed_words,
)
from server.insights import compute_answers
from tests.server.insights.meetings_in_languages import GERMAN, JAPANESE, meeting, talk

FILE_HASH = "ab" * 32
ARABIC = (
    (1, "صباح الخير، سنتحدث اليوم عن ميزانية المشروع."),
    (2, "كم أنفقنا على الخادم الجديد في الشهر الماضي؟"),
)
CHINESE = ((1, "今天 我们 讨论 预算 。"), (2, "下 个 月 的 预算 是 多少 ？"))
HOSTILE = (
    (1, '=HYPERLINK(1) <b>bold</b> & 00:00:01,000 --> 00:00:02,000 "quoted" [link](x) |cell| # not'),
    (2, "*stars* _lines_ `code` 1. one - two -- ;; <NA> {x} \\ ]]> &amp; \x0b end."),
)
NAMES = {
    "german": ("Jürgen Groß", "Zoë"),
    "japanese": ("田中 さくら", "\U0001f98a Fuchs"),
    "chinese": ("王小明", "李\U0001f469‍\U0001f680"),
    "arabic": ("ليلى حسن", "عمر"),
    "hostile": ("=cmd|' /C calc'!A0", 'Ann <b>&amp; --> "Bob" | x'),
    "equal": ("Sam", "Sam"),
}
TALKS = {
    "german": talk(meeting("de", *GERMAN)),
    "japanese": talk(meeting("ja", *JAPANESE)),
    "chinese": talk(meeting("zh", *CHINESE)),
    "arabic": talk(meeting("ar", *ARABIC)),
    "hostile": talk(meeting("en", *HOSTILE)),
    "equal": talk(meeting("de", *GERMAN)),
}
KINDS = tuple(TALKS)


def documented(kind: str) -> DocumentedMeeting:
    """A meeting of two people of this kind."""
    return of_conversation(TALKS[kind], NAMES[kind], name=f"{kind} \U0001f4c5 {NAMES[kind][0]}")


def of_conversation(conversation: Conversation, names: tuple[str, ...], name: str = "Weekly") -> DocumentedMeeting:
    """A meeting as its stored answers have it."""
    answers: dict[str, Any] = {family: answer.document for family, answer in compute_answers(conversation).items()}
    words = timed_words(answers["words"]["words"])
    corrections = corrected_sentences(answers["words"]["sentences"])
    return DocumentedMeeting(
        file_hash=FILE_HASH,
        name=name,
        held_on="2026-11-28",
        duration_ms=conversation.duration_us // 1000,
        language=answers["transcript"].get("language", ""),
        notice="",
        reliable=answers["transcript"]["reliable"],
        names=distinct_names(enumerate(names, 1)),
        statements=timed_statements(answers["transcript"], words, corrections),
        corrections=corrections,
        words=words,
        speech=timed_speech(answers["timeline"]),
        quality=cast("Any", answers["quality"]),
    )


def corrected() -> DocumentedMeeting:
    """The German meeting after its first sentence was moved, and its second reworded."""
    said = TALKS["german"]
    first, second = said.sentences[:2]
    words = (AlignedWord(Word("Neu.", second.start_us, second.end_us, None), 0),)
    moved = Move(0, 3 - first.speaker, former_speaker=first.speaker, start_us=first.start_us)
    reworded = Reword(1, "Neu.", words, False, None, None, b"", second.text, second.start_us)
    return of_conversation(apply_edits(said, [moved, reworded]), NAMES["german"])


def agreed() -> DocumentedMeeting:
    """A meeting of Ada and Ben with a decision and an action item."""
    said = ((1, "We have decided to keep | it."), (2, "I'll send *the* offer by Friday."), (1, "Good."))
    return of_conversation(talk(meeting("en", *said)), ("Ada", "Ben"))


def silent() -> DocumentedMeeting:
    """A meeting in which nobody spoke."""
    return of_conversation(Conversation(5_000_000, (), (), TALKS["german"].engine), ())
