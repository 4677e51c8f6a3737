"""Diarization as a session sees it; engines differ in how they do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from inference.diarization import SpeakerSegment, SpeechSegment, VoiceProfiles
from inference.models import RecognisedWord
from inference.stages.audio_buffer import AudioBuffer
from inference.stages.events import TurnEvent


@dataclass(frozen=True, slots=True)
class FinalDiarization:
    """Final diarization of a session."""

    segments: Sequence[SpeakerSegment]
    """By start time; they overlap where the engine detects simultaneous speech."""
    words: Mapping[int, Sequence[RecognisedWord]]
    """Words by index into ``segments``."""
    voices: VoiceProfiles
    """Embeddings by which another session can recognise the speakers."""


class SpeakerStage(Protocol):
    """Diarizes one session from its first sample to its last. Calls come in order of time.

    Args of its methods:
        audio: the session's audio, dropped before the first sample that a stage still needs.
        processed: number of samples that the speech detector has processed.
        number: of a speech segment, from 0 in order of time.
    """

    @property
    def several_voices(self) -> bool:
        """Whether several people clearly speak, although one is expected."""
        ...

    def known_through(self, processed: int) -> int:
        """Return the sample before which speakers are known, once ``processed`` samples are processed."""
        ...

    async def advance(self, audio: AudioBuffer, processed: int) -> int:
        """Process audio up to sample ``processed``, all of it in the buffer; return the first sample still needed."""
        ...

    async def extend_segment(self, number: int, ongoing: SpeechSegment, audio: AudioBuffer) -> int:
        """Process speech segment ``number`` as far as it reaches now; return the first sample it still needs."""
        ...

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Process the rest of speech segment ``number``, which has ended."""
        ...

    async def flush(self, audio: AudioBuffer) -> None:
        """Settle the turns so far, as if silence followed; ``conclude`` does not depend on it."""
        ...

    def flush_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Take a segment that may go on as ended here, for the turns alone: ``conclude`` does not depend on it."""
        ...

    def abandon_segment(self, number: int) -> None:
        """Discard segment ``number``, if it has begun: it was too short to be speech."""
        ...

    def set_words(self, number: int, words: Sequence[RecognisedWord], *, complete: bool) -> None:
        """Replace the words of speech segment ``number``; ``complete``: no more come for its audio so far."""
        ...

    async def changed_turns(self, words_through_s: float) -> Sequence[TurnEvent]:
        """Return the turns to emit now; all words before ``words_through_s`` (seconds) were passed in."""
        ...

    async def finish(self, audio: AudioBuffer) -> None:
        """Process the rest of the audio; every segment has ended."""
        ...

    def conclude(self, speech: Sequence[SpeechSegment], words: Sequence[RecognisedWord]) -> FinalDiarization:
        """Settle the speakers over the whole session. May take seconds: run it off the event loop.

        Args:
            speech: all speech segments.
            words: all final words.
        """
        ...

    async def close(self) -> None:
        """Cancel pending work and wait until it has stopped. Safe to repeat."""
        ...

    def segment_revision(self, segment_id: int) -> int:
        """Return the last emitted revision of a segment; 0: none."""
        ...
