"""Numbers of the speakers of a live session: given once a voice is sure, and given again when it vanishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from inference.diarization import SpeakerSegment

# A voice is sure once it has spoken for so long: most that were heard for less turn out to be somebody else.
SURE_S = 1.6
# While all voices together have spoken for less, numbers are given anew in the order of first speech, which is that of
# the end: the first clusterings split voices.
ORDER_S = 20.0
UNKNOWN = 0


class SpeakerNumbers:
    """Numbers of voices, 1, 2, 3, ..., by their labels."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self.are_settled = False
        """Whether a voice keeps its number from now on for as long as it is there."""

    def update(self, speech_s: Mapping[int, float]) -> list[int]:
        """Take the numbers of vanished voices back, and number those that are sure now.

        Args:
            speech_s: seconds of speech of each voice there is, by label, in the order in which they were first heard.

        Returns:
            The labels of those whose number is new.
        """
        before = self._numbers
        self._numbers = {label: number for label, number in before.items() if label in speech_s}
        # Somebody speaks: without another voice that is the first.
        sure = [label for label, spoken_s in speech_s.items() if spoken_s >= SURE_S or len(speech_s) == 1]
        for label in sure:
            if label not in self._numbers:
                free = set(range(1, len(self._numbers) + 2)) - set(self._numbers.values())
                self._numbers[label] = min(free)
        self.are_settled = sum(speech_s.values()) >= ORDER_S
        if not self.are_settled:
            known = [label for label in speech_s if label in self._numbers]
            self._numbers = {label: number for number, label in enumerate(known, start=1)}
        return [label for label, number in self._numbers.items() if before.get(label) != number]

    def label(self, number: int) -> int | None:
        """Return the label of the voice with a number; None: no voice has it."""
        return next((label for label, own in self._numbers.items() if own == number), None)

    def apply(self, spans: Sequence[SpeakerSegment]) -> list[SpeakerSegment]:
        """Return the spans with numbers instead of labels; 0: a voice that is not sure yet.

        Spans of such voices that follow one another are one; beside the floor they are left out.
        """
        found: list[SpeakerSegment] = []
        for span in spans:
            number = self._numbers.get(span.speaker, UNKNOWN)
            if span.overlapping and number == UNKNOWN:
                continue
            if found and number == found[-1].speaker == UNKNOWN and not span.overlapping:
                found[-1] = replace(found[-1], end_s=span.end_s)
            else:
                found.append(replace(span, speaker=number))
        return found
