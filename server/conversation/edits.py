"""Manual corrections: merging two speakers, splitting one, moving a sentence, and correcting its words.

Edits never change the engine's result: they are applied to it each time, so that an edit is undone by leaving it out.
Sentences are known by their place in ``Conversation.sentences``, which no edit changes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from server.conversation.aligned_words import AlignedWord
from server.conversation.conversation import Conversation, Original, Segment, Sentence, Word, speakers_by_first_speech
from server.conversation.corrected_segments import corrected_segments


@dataclass(frozen=True, slots=True)
class Merge:
    """Assign everything of ``speaker`` to ``into``."""

    speaker: int
    into: int


@dataclass(frozen=True, slots=True)
class Split:
    """Assign the segments and moved sentences of ``speaker`` whose middle lies in start..end to ``new_speaker``."""

    speaker: int
    new_speaker: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Move:
    """Assign a sentence, with its words and their time, to ``speaker``."""

    sentence: int
    speaker: int
    former_speaker: int
    """Whose it was when the edit was made; for the history alone, like ``start_us``."""
    start_us: int


@dataclass(frozen=True, slots=True)
class Reword:
    """Replace the text of a sentence; the analysis is that of the new text, as in ``Sentence``."""

    sentence: int
    text: str
    """Empty: its words are removed. The time in which they were heard stays the speaker's."""
    words: tuple[AlignedWord, ...]
    """Aligned to the words that the engine found."""
    asks: bool
    polarity: float | None
    emotions: tuple[float, ...] | None
    vector: bytes
    former_text: str
    """What it read when the edit was made; for the history alone, like ``start_us``."""
    start_us: int


Edit = Merge | Split | Move | Reword
_KINDS: dict[str, type[Edit]] = {"merge": Merge, "split": Split, "move": Move, "words": Reword}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def edit_to_document(edit: Edit) -> dict[str, Any]:
    """Return JSON-compatible values; ``edit_from_document`` is the inverse."""
    document = {"kind": _NAMES[type(edit)], **asdict(edit)}
    if isinstance(edit, Reword):
        document["vector"] = base64.b64encode(edit.vector).decode()
    return document


def edit_from_document(document: Mapping[str, Any]) -> Edit:
    """Rebuild an edit from ``edit_to_document``'s output."""
    fields = {name: value for name, value in document.items() if name != "kind"}
    if document["kind"] == "words":
        fields["words"] = tuple(AlignedWord(Word(**one["word"]), one["origin"]) for one in fields["words"])
        fields["emotions"] = None if fields["emotions"] is None else tuple(fields["emotions"])
        fields["vector"] = base64.b64decode(fields["vector"])
    return _KINDS[document["kind"]](**fields)


def apply_edits(conversation: Conversation, edits: Sequence[Edit]) -> Conversation:
    """Return the conversation, as the engine found it, with the edits applied in order."""
    segment_speakers = {segment.segment_id: segment.speaker for segment in conversation.segments}
    segments_us = {segment.segment_id: _middle_us(segment) for segment in conversation.segments}
    sentences_us = [_middle_us(sentence) for sentence in conversation.sentences]
    moved: dict[int, int] = {}
    rewordings: dict[int, Reword] = {}
    for edit in edits:
        if isinstance(edit, Move):
            moved[edit.sentence] = edit.speaker
        elif isinstance(edit, Reword):
            rewordings[edit.sentence] = edit
        else:
            _reassign(edit, segment_speakers, segments_us)
            _reassign(edit, moved, sentences_us)
    # Back to what the engine wrote: its own words and analysis.
    rewordings = {i: edit for i, edit in rewordings.items() if edit.text != conversation.sentences[i].text}
    segments = corrected_segments(
        conversation, segment_speakers, moved, {index: edit.words for index, edit in rewordings.items()}
    )
    corrected = dict[int, Sentence]()
    originals = dict[int, Original]()
    for index, sentence in enumerate(conversation.sentences):
        own = segment_speakers.get(sentence.segment_id, sentence.speaker)
        speaker, rewording = moved.get(index, own), rewordings.get(index)
        corrected[index] = replace(sentence, speaker=speaker) if speaker != sentence.speaker else sentence
        if rewording is not None:
            corrected[index] = _reworded(corrected[index], rewording)
        if rewording is not None or speaker != own:
            originals[index] = Original(None if rewording is None else sentence.text, None if speaker == own else own)
    return replace(
        conversation,
        segments=segments,
        sentences=tuple(corrected.values()),
        speakers=speakers_by_first_speech(segments),
        originals=originals,
    )


def _reworded(sentence: Sentence, rewording: Reword) -> Sentence:
    return replace(
        sentence,
        text=rewording.text,
        asks=rewording.asks,
        polarity=rewording.polarity,
        emotions=rewording.emotions,
        vector=rewording.vector,
    )


def _reassign(edit: Merge | Split, speakers: dict[int, int], middles_us: Mapping[int, int] | Sequence[int]) -> None:
    """Give what is the edit's speaker's in ``speakers`` to whom the edit says."""
    for key, speaker in speakers.items():
        if speaker != edit.speaker:
            continue
        if isinstance(edit, Merge):
            speakers[key] = edit.into
        elif edit.start_us <= middles_us[key] < edit.end_us:
            speakers[key] = edit.new_speaker


def _middle_us(part: Segment | Sentence) -> int:
    return (part.start_us + part.end_us) // 2
