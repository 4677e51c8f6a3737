"""A track in parts: each is heard from its first sample to its last, and their results are one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from server.analysis.parts import MIN_REST_S, PcmParts, first_segment_id, join_parts
from server.analysis.recording import Cut, SessionResult
from server.conversation import (
    EngineCapabilities,
    FinishedEvent,
    Interval,
    ReadyEvent,
    Segment,
    TurnEvent,
    TurnState,
    Word,
    fold,
)
from server.media import RATE_HZ

ENGINE = EngineCapabilities(())
S = 1_000_000


def result(seconds: float, *words: str, music: tuple[Interval, ...] = (), language: str = "en") -> SessionResult:
    """A session of so many seconds, in which a word is said each second from the first on."""
    made = SessionResult()
    made.level.add(np.full(round(seconds * RATE_HZ), 100, "<i2").tobytes())
    made.events = [ReadyEvent(ENGINE)]
    for place, word in enumerate(words):
        said = (Word(word, place * S, (place + 1) * S, None),)
        segment = Segment(place * 1000 + 1, 1, place * S, (place + 1) * S, said, language=language)
        made.events.append(TurnEvent(1, TurnState.FINAL, segment))
    made.events.append(FinishedEvent(round(seconds * S), -60.0 - seconds, music, language))
    return made


def test_a_track_without_cuts_has_the_result_of_its_session() -> None:
    only = result(3, "good")
    assert join_parts([(0, only)]) is only


def test_parts_follow_each_other_in_time_and_their_ids_are_apart() -> None:
    parts = [
        (0, result(3, "good", "morning", music=(Interval(0, S),))),
        (3 * RATE_HZ, result(10, "so", "long", music=(Interval(2 * S, 3 * S),), language="de")),
        (13 * RATE_HZ, result(1)),
    ]
    conversation = fold(join_parts(parts).events)
    assert [(s.start_us, s.words[0].text, s.words[0].start_us) for s in conversation.segments] == [
        (0, "good", 0),
        (S, "morning", S),
        (3 * S, "so", 3 * S),
        (4 * S, "long", 4 * S),
    ]
    assert len({segment.segment_id for segment in conversation.segments}) == 4
    assert conversation.duration_us == 14 * S
    assert conversation.music == (Interval(0, S), Interval(5 * S, 6 * S))
    # Of the longest part.
    assert conversation.noise_dbfs == -70.0
    assert join_parts(parts).level.samples == 14 * RATE_HZ


def test_no_part_has_ids_of_an_earlier_one() -> None:
    assert first_segment_id(0) == 0
    # A segment and its silence take at least 0.44 s: ten of them fit into 4.4 s.
    assert first_segment_id(round(4.4 * RATE_HZ)) == 10_000
    assert first_segment_id(round(4.4 * RATE_HZ) + 1) == 11_000


async def pcm(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def heard(audio: bytes, cuts: Sequence[int | Cut], piece: int) -> list[tuple[int, bytes]]:
    made = [Cut(cut, cut) if isinstance(cut, int) else cut for cut in cuts]
    parts = PcmParts(pcm([audio[start : start + piece] for start in range(0, len(audio), piece)]), made)
    found = []
    while (first := await parts.next_part()) is not None:
        found.append((first, b"".join([chunk async for chunk in parts.chunks()])))
    return found


@pytest.mark.parametrize("piece", [2, 998, 100_000], ids=["samples", "pieces", "whole"])
async def test_audio_is_cut_at_the_sample_however_it_comes(piece: int) -> None:
    audio = np.arange(6000, dtype="<i2").tobytes()
    assert await heard(audio, [], piece) == [(0, audio)]
    assert await heard(audio, [1000, 4000], piece) == [
        (0, audio[:2000]),
        (1000, audio[2000:8000]),
        (4000, audio[8000:]),
    ]


@pytest.mark.parametrize("piece", [2, 998, 100_000], ids=["samples", "pieces", "whole"])
async def test_silence_between_parts_is_passed_over(piece: int) -> None:
    audio = np.arange(6000, dtype="<i2").tobytes()
    assert await heard(audio, [Cut(1000, 2500), 4000], piece) == [
        (0, audio[:2000]),
        (2500, audio[5000:8000]),
        (4000, audio[8000:]),
    ]


async def test_a_rest_that_is_too_short_for_a_word_is_no_part() -> None:
    rest = int(MIN_REST_S * RATE_HZ)
    audio = np.arange(1000 + rest, dtype="<i2").tobytes()
    assert [first for first, _ in await heard(audio, [1001], 500)] == [0]
    assert [first for first, _ in await heard(audio, [1000], 500)] == [0, 1000]


async def test_no_audio_is_one_part() -> None:
    assert await heard(b"", [], 10) == [(0, b"")]
