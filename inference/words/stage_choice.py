"""Which WordStage a session has: the recogniser decides it, and whether somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from inference.engine import Engine
from inference.models import RecognisedWord, Samples, StreamingRecogniser, WindowRecogniser
from inference.stages import WordStage
from inference.words.piece_recognition import PieceRecognition
from inference.words.revised_recognition import RevisedRecognition
from inference.words.streamed_recognition import StreamedRecognition
from inference.words.window_recognition import WindowRecognition


def word_stage(
    engine: Engine,
    owner: Hashable,
    changed: Callable[[], None],
    *,
    language: str,
    key_terms: tuple[str, ...],
    live: bool,
) -> WordStage:
    """The stage that recognises a session's words.

    Args:
        owner: the session.
        changed: is called when words have come.
        language: what is spoken, one of the recogniser's languages; empty: it is detected, where there are several.
        key_terms: what may be said, as it is spelled.
        live: somebody listens.
    """
    model = engine.models.recogniser
    known = language or (model.languages[0] if len(model.languages) == 1 else "")
    if isinstance(model, StreamingRecogniser):
        return StreamedRecognition(engine, owner, known)
    if isinstance(model, WindowRecogniser):
        if live:
            return RevisedRecognition(engine, owner, changed, language=language, key_terms=key_terms)
        return WindowRecognition(engine, owner, changed, language=language, key_terms=key_terms, live=False)

    async def recognise(samples: Samples, patience_s: float) -> Sequence[RecognisedWord]:
        return await engine.transcribe(owner, samples, patience_s)

    return PieceRecognition(
        recognise, lambda: engine.hurry_words(owner), model.max_segment_s, changed, live=live, language=known
    )
