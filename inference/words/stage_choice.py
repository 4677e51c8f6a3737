"""Choice of a session's WordStage, by recogniser and by whether the session is live."""

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
    """Return the stage that recognises a session's words.

    Args:
        engine: runs the models.
        owner: the session.
        changed: called when words have arrived.
        language: one of the recogniser's; empty: detected where the recogniser has several.
        key_terms: terms that may be spoken, as they are spelled.
        live: somebody is listening.
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
