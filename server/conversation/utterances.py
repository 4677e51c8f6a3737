"""Utterances and turns: the units that scores count.

An utterance is a maximal run of one speaker with gaps under 0.5 s. A turn is a run of utterances by one speaker, until
another speaker's utterance of at least 1 s begins; shorter ones are back-channels (continuers in Schegloff, 2000) and
take no turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.conversation.conversation import Conversation, merge_intervals

UTTERANCE_GAP_US = 500_000
BACK_CHANNEL_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Utterance:
    """A maximal run of speech by one speaker with gaps under 0.5 s."""

    speaker: int
    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        """Length in microseconds."""
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class Turn:
    """Utterances of one speaker until another takes the floor."""

    speaker: int
    start_us: int
    end_us: int


def find_utterances(conversation: Conversation) -> tuple[Utterance, ...]:
    """Return the utterances of all known speakers, in order of start."""
    found = [
        Utterance(speaker, start, end)
        for speaker in conversation.speakers
        for start, end in merge_intervals(conversation.speech(speaker), UTTERANCE_GAP_US)
    ]
    # Ties are broken by speaker, so that the result is deterministic.
    return tuple(sorted(found, key=lambda u: (u.start_us, u.end_us, u.speaker)))


def find_turns(spoken: Sequence[Utterance]) -> tuple[Turn, ...]:
    """Return the turns of utterances given in time order.

    A back-channel (under 1 s) neither takes the floor nor ends the current turn. The first utterance always takes the
    floor: there is no turn that it could be a back-channel to.
    """
    taken: list[Turn] = []
    for utterance in spoken:
        if taken and taken[-1].speaker == utterance.speaker:
            taken[-1] = Turn(utterance.speaker, taken[-1].start_us, max(taken[-1].end_us, utterance.end_us))
        elif not taken or utterance.duration_us >= BACK_CHANNEL_US:
            taken.append(Turn(utterance.speaker, utterance.start_us, utterance.end_us))
    return tuple(taken)
