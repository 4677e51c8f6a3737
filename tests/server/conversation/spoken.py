"""Conversations that the tests make of who speaks when, or of what is said."""

from __future__ import annotations

from hypothesis import strategies as st

from server.conversation import Conversation, EngineCapabilities, Segment, TurnEvent, TurnState, Word

ENGINE = EngineCapabilities(models=("m",), languages=("en",), max_speakers=8)
S = 1_000_000


def conversation(*spoken: tuple[int, float, float], duration_s: float = 120.0) -> Conversation:
    """From (speaker, start s, end s)."""
    segments = tuple(
        Segment(i, speaker, round(a * S), round(b * S)) for i, (speaker, a, b) in enumerate(spoken, start=1)
    )
    heard = tuple(dict.fromkeys(s.speaker for s in sorted(segments, key=lambda s: s.start_us) if s.speaker))
    return Conversation(round(duration_s * S), heard, segments, ENGINE)


def talk(*segments: tuple[int, str], pause_s: float = 0.05, between_s: float = 0.3) -> Conversation:
    """From (speaker, text): a word lasts 0.3 s; ``|`` in the text is a pause of 0.6 s."""
    made, clock = [], 0.0
    for number, (speaker, text) in enumerate(segments, start=1):
        start, words = clock, []
        for token in text.split():
            if token == "|":
                clock += 0.6
                continue
            words.append(Word(token, round(clock * S), round((clock + 0.3) * S), 0.9))
            clock += 0.3 + pause_s
        made.append(Segment(number, speaker, round(start * S), round(clock * S), tuple(words)))
        clock += between_s
    speakers = tuple(dict.fromkeys(speaker for speaker, _ in segments))
    return Conversation(round((clock + 1) * S), speakers, tuple(made), ENGINE)


segments = st.builds(
    lambda i, speaker, start, length: Segment(i, speaker, start, start + length, (Word("w", start, start, 0.5),)),
    st.integers(1, 20),
    st.integers(0, 5),
    st.integers(0, 10**8),
    st.integers(0, 10**7),
)
turn_events = st.builds(TurnEvent, st.integers(1, 3), st.sampled_from(TurnState), segments)
