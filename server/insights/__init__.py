"""Scores and text of a conversation: pure functions, one file per family.

``FAMILIES`` names each stored family, the version of its definition, and the function that
computes its JSON-able document. Speakers appear as their numbers within the meeting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from server.conversation import Conversation
from server.insights import balance, interaction, shares, transcript


class Family(NamedTuple):
    """One stored family of answers."""

    definition_version: str
    compute: Callable[[Conversation], dict[str, Any]]


FAMILIES: Mapping[str, Family] = {
    "balance": Family(balance.DEFINITION_VERSION, lambda c: balance.balance(c).to_document()),
    "interaction_score": Family(
        interaction.DEFINITION_VERSION, lambda c: interaction.interaction_score(c).to_document()
    ),
    "interactions": Family(interaction.DEFINITION_VERSION, lambda c: interaction.interaction_map(c).to_document()),
    "shares": Family(shares.DEFINITION_VERSION, lambda c: shares.shares(c).to_document()),
    "transcript": Family(transcript.DEFINITION_VERSION, lambda c: transcript.transcript(c).to_document()),
}

__all__ = ["FAMILIES", "Family"]
