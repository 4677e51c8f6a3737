"""Choice of a session's WordStage, by recogniser and by whether the session is live."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from inference.engine import ModelEngine
from inference.models import RecognisedWord, Samples, StreamingRecogniser, WindowRecogniser
from inference.stages import WordStage
from inference.words.chunk_recognition import ChunkRecognition
from inference.words.streaming_recognition import StreamingRecognition
from inference.words.two_pass_recognition import TwoPassRecognition
from inference.words.window_recognition import WindowRecognition


def create_word_stage(
    engine: ModelEngine,
    owner: Hashable,
    on_change: Callable[[], None],
    *,
    language: str,
    key_terms: tuple[str, ...],
    live: bool,
) -> WordStage:
    """Return the stage that recognises a session's words.

    Args:
        engine: runs the models.
        owner: the session.
        on_change: called when words have arrived.
        language: one of the recogniser's; empty: detected where the recogniser has several.
        key_terms: terms that may be spoken, as they are spelled.
        live: somebody is listening.
    """
    model = engine.models.recogniser
    known = language or (model.languages[0] if len(model.languages) == 1 else "")
    if isinstance(model, StreamingRecogniser):
        return StreamingRecognition(engine, owner, known)
    if isinstance(model, WindowRecogniser):
        if live:
            return TwoPassRecognition(engine, owner, on_change, language=language, key_terms=key_terms)
        return WindowRecognition(engine, owner, on_change, language=language, key_terms=key_terms, live=False)

    async def recognise(samples: Samples, patience_s: float) -> Sequence[RecognisedWord]:
        return await engine.transcribe(owner, samples, patience_s)

    return ChunkRecognition(
        recognise, lambda: engine.expedite_words(owner), model.max_chunk_s, on_change, live=live, language=known
    )
