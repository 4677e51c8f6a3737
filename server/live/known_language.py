"""Whether the recogniser knows the language that is given for a live meeting."""

from __future__ import annotations

from server.conversation import language_display_name
from server.engine import InferenceClient
from server.errors import BadRequest

# How long to wait for the engine's answer, seconds.
PATIENCE_S = 3.0


async def require_known_language(inference: InferenceClient, language: str) -> None:
    """Check that the recogniser knows a language, BCP 47, or one close to it; empty: any. Raises BadRequest.

    Where the engine cannot be reached the language is accepted: its sessions tell whether they know it.
    """
    if not language or inference.capabilities is None or await inference.knows_language(language, PATIENCE_S):
        return
    known = ", ".join(inference.capabilities.languages)
    raise BadRequest(
        "config.language",
        f"the recogniser does not know {language_display_name(language)}; give one of {known}, or none to have the"
        " language detected",
    )
