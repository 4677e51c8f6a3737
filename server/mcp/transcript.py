"""A transcript in parts that an assistant can read at once."""

from __future__ import annotations

from typing import Any

from meetra.v1 import insights_pb2, speakers_pb2

# Of a part; a statement is never cut.
MAX_CHARACTERS = 30_000


def statements_from(
    said: insights_pb2.GetTranscriptionResponse, speakers: speakers_pb2.ListSpeakersResponse, start_ms: int
) -> dict[str, Any]:
    """Return the statements from a time on, with names of their speakers.

    ``next_start_ms`` is where the next part begins, None after the last.
    """
    names = {speaker.id: speaker.alias for speaker in speakers.speakers}
    statements: list[dict[str, Any]] = []
    characters = 0
    for entry in said.transcription:
        begins = _milliseconds(entry.start_timestamp)
        if begins < start_ms:
            continue
        # Times are in whole seconds: what begins in the same one stays together.
        if (
            statements
            and characters + len(entry.transcription) > MAX_CHARACTERS
            and begins > statements[-1]["start_ms"]
        ):
            return {"statements": statements, "next_start_ms": begins}
        characters += len(entry.transcription)
        statements.append({"speaker": names.get(entry.speaker, ""), "start_ms": begins, "text": entry.transcription})
    return {"statements": statements, "next_start_ms": None}


def _milliseconds(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000
