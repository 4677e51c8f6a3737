"""Messages of a decoder, read without trust: code that took a decoder over can say anything.

The decoder's side is ``server/children/decode_media.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from server.media import OUTPUT_FILES

MAX_TEXT = 1000
# Two years; the file itself is measured.
MAX_SAMPLES = 2**40


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Progress(_Message):
    """Decoding goes on."""

    decoded_s: Annotated[float, Field(ge=0)]


class Stated(_Message):
    """What a probed container states."""

    audio: bool
    duration_s: Annotated[float, Field(ge=0)] | None


class Refusal(_Message):
    """Nothing was decoded: by the recording's fault if there is a reason, else by the server's."""

    error: Annotated[str, Field(max_length=MAX_TEXT)]
    reason: Annotated[str, Field(max_length=MAX_TEXT)] | None = None


class Track(_Message):
    """One file of the outcome."""

    file: Literal[OUTPUT_FILES]  # type: ignore[valid-type]
    samples: Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
    place: Annotated[int, Field(ge=0, lt=len(OUTPUT_FILES))]
    called: Annotated[str, Field(max_length=MAX_TEXT)]
    level_dbfs: float | None


class Outcome(_Message):
    """Everything is decoded."""

    tracks: Annotated[list[Track], Field(min_length=1, max_length=len(OUTPUT_FILES))]
    places: Annotated[int, Field(ge=1, le=len(OUTPUT_FILES))]
    samples: Annotated[int, Field(ge=1, le=MAX_SAMPLES)]
    damaged: bool
    remarks: Annotated[list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(max_length=len(OUTPUT_FILES))]

    @model_validator(mode="after")
    def _no_file_twice(self) -> Outcome:
        if len({track.file for track in self.tracks}) < len(self.tracks):
            raise ValueError("one file for two tracks")
        if len({track.place for track in self.tracks}) < len(self.tracks):
            raise ValueError("two tracks at one place")
        return self


Message = Progress | Stated | Refusal | Outcome
_ANY: TypeAdapter[Message] = TypeAdapter(Message)


def read_message(line: bytes) -> Message:
    """Parse one line. Raises ValueError if it is no message."""
    return _ANY.validate_json(line)
