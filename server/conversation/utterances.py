"""Utterances and turns: the units of conversation that the scores count.

An utterance is a maximal run of one speaker with gaps under 0.5 s. A turn is a run of
utterances by one speaker until another speaker's utterance of at least 1 s begins; shorter
ones are back-channels (Schegloff 2000's continuers) and take no turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.conversation.conversation import Conversation, merge_intervals

UTTERANCE_GAP_US = 500_000
BACK_CHANNEL_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Utterance:
    """A maximal run of one speaker with gaps under 0.5 s."""

    speaker: int
    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class Turn:
    """Utterances of one speaker until another takes the floor."""

    speaker: int
    start_us: int
    end_us: int


def utterances(conversation: Conversation) -> tuple[Utterance, ...]:
    """Every known speaker's utterances, in the order of their starts."""
    found = [
        Utterance(speaker, start, end)
        for speaker in conversation.speakers
        for start, end in merge_intervals(conversation.speech(speaker), UTTERANCE_GAP_US)
    ]
    # Between equal starts the speakers' order decides, so that the result never depends on chance.
    return tuple(sorted(found, key=lambda u: (u.start_us, u.end_us, u.speaker)))


def turns(spoken: Sequence[Utterance]) -> tuple[Turn, ...]:
    """The turns of ``utterances``, in the order of time.

    A back-channel (under 1 s) neither takes the floor nor ends the turn it falls into. The
    first utterance of a conversation takes the floor however short: there is no turn yet that
    it could be a back-channel to.
    """
    taken: list[Turn] = []
    for utterance in spoken:
        if taken and taken[-1].speaker == utterance.speaker:
            taken[-1] = Turn(utterance.speaker, taken[-1].start_us, max(taken[-1].end_us, utterance.end_us))
        elif not taken or utterance.duration_us >= BACK_CHANNEL_US:
            taken.append(Turn(utterance.speaker, utterance.start_us, utterance.end_us))
    return tuple(taken)
