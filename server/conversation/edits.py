"""Manual corrections: merging two speakers, and splitting one.

Edits never change the engine's result: they are applied to it each time, so that an edit is undone by leaving it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from server.conversation.conversation import (
    Conversation,
    speakers_by_first_speech,
)


@dataclass(frozen=True, slots=True)
class Merge:
    """Assign all segments of ``speaker`` to ``into``."""

    speaker: int
    into: int


@dataclass(frozen=True, slots=True)
class Split:
    """Assign the segments of ``speaker`` whose middle lies in start..end to ``new_speaker``."""

    speaker: int
    new_speaker: int
    start_us: int
    end_us: int


Edit = Merge | Split


def edit_to_document(edit: Edit) -> dict[str, Any]:
    """Return JSON-compatible values; ``edit_from_document`` is the inverse."""
    return {"kind": "merge" if isinstance(edit, Merge) else "split", **asdict(edit)}


def edit_from_document(document: dict[str, Any]) -> Edit:
    """Rebuild an edit from ``edit_to_document``'s output."""
    fields = {name: value for name, value in document.items() if name != "kind"}
    return Merge(**fields) if document["kind"] == "merge" else Split(**fields)


def apply_edits(conversation: Conversation, edits: Sequence[Edit]) -> Conversation:
    """Return the conversation with the edits applied in order."""
    speakers_by_segment = {segment.segment_id: segment.speaker for segment in conversation.segments}
    middles_us = {s.segment_id: (s.start_us + s.end_us) // 2 for s in conversation.segments}
    for edit in edits:
        for segment_id, speaker in speakers_by_segment.items():
            if speaker != edit.speaker:
                continue
            if isinstance(edit, Merge):
                speakers_by_segment[segment_id] = edit.into
            elif edit.start_us <= middles_us[segment_id] < edit.end_us:
                speakers_by_segment[segment_id] = edit.new_speaker
    segments = tuple(replace(s, speaker=speakers_by_segment[s.segment_id]) for s in conversation.segments)
    sentences = tuple(
        replace(s, speaker=speakers_by_segment.get(s.segment_id, s.speaker)) for s in conversation.sentences
    )
    speakers = speakers_by_first_speech(segments)
    return replace(conversation, segments=segments, sentences=sentences, speakers=speakers)
