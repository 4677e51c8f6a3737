"""Words beyond the last chunk: told once they come, and gone once a chunk holds their speech."""

from __future__ import annotations

import asyncio

from inference.models import RecognisedWord
from inference.words.flushed_words import FlushedWords


def word(text: str, start_s: float = 1.0) -> RecognisedWord:
    return RecognisedWord(text, start_s, start_s + 0.3, None)


async def said(*words: RecognisedWord) -> list[RecognisedWord]:
    return list(words)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_words_come_and_are_known_through_the_end_of_the_speech() -> None:
    changes: list[int] = []
    flushed = FlushedWords(lambda: changes.append(1))
    flushed.start(4, 16_000, 32_000, said(word("hello")))
    assert flushed.awaits_words(4)
    assert not flushed.awaits_words(5)
    assert flushed.known_through(16_000) == 16_000
    await settle()
    assert changes == [1]
    assert flushed.pop_changed_segments() == {4}
    assert [w.text for w in flushed.words(4)] == ["hello"]
    assert (flushed.awaits_words(4), flushed.words(5)) == (False, [])
    assert flushed.known_through(16_000) == 32_000
    assert flushed.known_through(48_000) == 48_000


async def test_a_later_flush_of_the_same_speech_replaces_the_earlier_and_an_overtaken_one_does_not() -> None:
    flushed, slow = FlushedWords(lambda: None), asyncio.Event()

    async def late() -> list[RecognisedWord]:
        await slow.wait()
        return [word("hell")]

    flushed.start(4, 16_000, 24_000, late())
    flushed.start(4, 16_000, 32_000, said(word("hello")))
    await settle()
    assert flushed.pop_changed_segments() == {4}
    assert [w.text for w in flushed.words(4)] == ["hello"]
    slow.set()
    await settle()
    flushed.pop_changed_segments()
    assert [w.text for w in flushed.words(4)] == ["hello"]
    assert not flushed.awaits_words(4)
    await flushed.close()


async def test_a_chunk_with_its_words_replaces_what_a_flush_told() -> None:
    flushed = FlushedWords(lambda: None)
    flushed.start(4, 16_000, 32_000, said(word("hello")))
    flushed.start(5, 48_000, 64_000, said(word("there", 3.0)))
    await settle()
    flushed.pop_changed_segments()
    flushed.replace_through(16_000)
    assert (flushed.pop_changed_segments(), flushed.words(4)) == ({4}, [])
    assert [w.text for w in flushed.words(5)] == ["there"]
    # Words that come after the chunk's are not told.
    flushed.start(5, 48_000, 80_000, said(word("late", 3.5)))
    flushed.keep_only(())
    await settle()
    assert (flushed.pop_changed_segments(), flushed.words(5)) == ({5}, [])
    assert not flushed.awaits_words(5)
