"""Whether an inference server makes progress, and how much it has to do, from what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from meetra.inference.v2 import session_pb2

# Looks, each a share of the time without progress, that must find no answer before a server counts as hanging.
# Several: one may fail because whoever looks stood still.
LOOKS_WITHOUT_ANSWER = 3
# Looks in a row that must find a call of a model that has run for too long: the machine may have stood still as a
# whole, and the call with it.
LOOKS_AT_A_LONG_CALL = 3


@dataclass(frozen=True, slots=True)
class Load:
    """How much an inference server has to do."""

    sessions: int
    """Open now."""
    limit: int
    """The most of them."""
    wait_s: float
    """Mean time that work waited for a model, of what was begun since the last look, seconds."""


class Progress:
    """What is known of one inference server, look by look."""

    def __init__(self, stall_s: float) -> None:
        """
        Args:
            stall_s: time without progress after which it hangs, seconds.
        """
        self._stall_s = stall_s
        self._unanswered, self._silent_since = 0, 0.0
        self._long_call = 0
        self._works, self._waited_us = 0, 0
        self.load: Load | None = None
        """At the last look with an answer; None before it."""

    def note(self, now: float, answer: session_pb2.GetStatisticsResponse | None) -> str:
        """Note a look. Return why it hangs, empty: it does not, as far as is known.

        Args:
            now: when it ended, seconds of a clock that does not jump.
            answer: None for a look without an answer.
        """
        if answer is None:
            if self._unanswered == 0:
                self._silent_since = now
            self._unanswered += 1
            # The first of these looks took its share of the time already, or was refused at once.
            silent_s = now - self._silent_since
            enough = silent_s >= self._stall_s * (LOOKS_WITHOUT_ANSWER - 1) / LOOKS_WITHOUT_ANSWER
            return "does not answer" if enough and self._unanswered >= LOOKS_WITHOUT_ANSWER else ""
        self._unanswered = 0
        works = sum(model.works for model in answer.models)
        waited_us = sum(model.waited_us for model in answer.models)
        begun = works - self._works
        wait_s = max(0, waited_us - self._waited_us) / begun / 1e6 if begun > 0 else 0.0
        self._works, self._waited_us = works, waited_us
        self.load = Load(answer.sessions, max(1, answer.max_sessions), wait_s)
        too_long = any(model.running_us > self._stall_s * 1e6 for model in answer.models)
        self._long_call = self._long_call + 1 if too_long else 0
        return "has a call of a model that does not end" if self._long_call >= LOOKS_AT_A_LONG_CALL else ""
