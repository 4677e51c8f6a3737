"""Conversations that the tests make up, by hand or by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from server.conversation import Acoustics, Conversation, Sentence, Word
from tests.server.conversation.spoken import conversation

DURATION_S = 700.0
SPEAKERS = 6
S = 1_000_000


def vector(seed: int, like: int | None = None) -> bytes:
    """A unit vector as a sentence carries it; ``like``: near the vector of that seed."""
    made = np.random.default_rng(seed).standard_normal(384)
    if like is not None:
        made = np.random.default_rng(like).standard_normal(384) + 0.6 * made
    return (made / np.linalg.norm(made)).astype("<f2").tobytes()


def sentence(
    speaker: int,
    start_s: float,
    end_s: float,
    text: str,
    *,
    polarity: float = 0.0,
    emotions: tuple[float, ...] = (0, 0, 0, 0, 1, 0),
    asks: bool = False,
    meaning: bytes = b"",
    segment_id: int = 1,
) -> Sentence:
    """A sentence that was read."""
    meaning = meaning or vector(hash(text) % 1000)
    start, end = round(start_s * S), round(end_s * S)
    return Sentence(segment_id, speaker, start, end, text, asks, polarity, emotions, meaning)


_emotions = st.lists(st.floats(0.01, 1), min_size=6, max_size=6).map(lambda p: tuple(x / sum(p) for x in p))
_texts = st.sampled_from(
    [
        "We need a new budget plan.",
        "The remote control is green.",
        "Who pays for it?",
        "Okay.",
        "That is a good design.",
    ]
)


@st.composite
def talks(draw: st.DrawFn, *, most: int = 30, longest_s: float = 60.0) -> Conversation:
    """A conversation of up to six speakers with sound and sentences, overlaps and zero-length segments included."""
    parts = draw(
        st.lists(st.tuples(st.integers(1, SPEAKERS), st.floats(0, 600), st.floats(0, longest_s)), max_size=most)
    )
    made = conversation(*((s, a, a + n) for s, a, n in parts), duration_s=DURATION_S)
    segments, sentences = [], []
    for segment in made.segments:
        heard = Acoustics(
            level_dbfs=draw(st.floats(-60, 0)),
            noise_dbfs=draw(st.none() | st.floats(-90, -40)),
            voiced_seconds=draw(st.floats(0, 5)),
            pitch_semitones=draw(st.none() | st.floats(0, 40)),
            pitch_spread_semitones=draw(st.none() | st.floats(0, 10)),
            mos_overall=draw(st.none() | st.floats(1, 5)),
        )
        words = (Word("word", segment.start_us, segment.end_us, 0.9),)
        segments.append(replace(segment, acoustics=heard, words=words))
        text = draw(_texts)
        sentences.append(
            Sentence(
                segment.segment_id,
                segment.speaker,
                segment.start_us,
                segment.end_us,
                text,
                text.endswith("?"),
                draw(st.floats(-1, 1)),
                draw(_emotions),
                vector(draw(st.integers(0, 20))),
            )
        )
    return replace(made, segments=tuple(segments), sentences=tuple(sentences))


def renamed(talk: Conversation, names: list[int]) -> Conversation:
    """The same talk with other numbers for its speakers."""
    return replace(
        talk,
        speakers=tuple(names[s - 1] for s in talk.speakers),
        segments=tuple(replace(s, speaker=names[s.speaker - 1]) for s in talk.segments),
        sentences=tuple(replace(s, speaker=names[s.speaker - 1]) for s in talk.sentences),
    )


def moved(talk: Conversation, *, shift_us: int = 0, times: int = 1) -> Conversation:
    """The same talk later, or in slower motion; silence fills the rest."""

    def move(moment: int) -> int:
        return moment * times + shift_us

    return replace(
        talk,
        duration_us=move(talk.duration_us) + shift_us,
        segments=tuple(
            replace(
                s,
                start_us=move(s.start_us),
                end_us=move(s.end_us),
                words=tuple(replace(w, start_us=move(w.start_us), end_us=move(w.end_us)) for w in s.words),
            )
            for s in talk.segments
        ),
        sentences=tuple(replace(s, start_us=move(s.start_us), end_us=move(s.end_us)) for s in talk.sentences),
    )


def has_ties(talk: Conversation) -> bool:
    """Two who begin at the same instant are ordered by number."""
    return len({s.start_us for s in talk.segments}) < len(talk.segments)


def two_topics() -> Conversation:
    """Ten minutes: five of a budget, five of a garden."""
    said = []
    for i in range(120):
        start = 5.0 * i
        about, word = (1, "annual budget") if i < 60 else (2, "flower garden")
        text = f"We talk about the {word} here ({i})."
        said.append(sentence(1 + i % 2, start, start + 4, text, meaning=vector(1000 + i, like=about)))
    parts = [(1 + i % 2, 5.0 * i, 5.0 * i + 4) for i in range(120)]
    return replace(conversation(*parts, duration_s=600), sentences=tuple(said))
