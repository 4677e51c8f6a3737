"""Telling who speaks, as a session sees it; engines differ in how they do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from inference.diarization import SpeakerSegment, SpeechSegment, VoiceProfiles
from inference.models import RecognisedWord
from inference.stages.audio_buffer import AudioBuffer
from inference.stages.events import TurnEvent


@dataclass(frozen=True, slots=True)
class SettledSpeakers:
    """Who spoke when, for good."""

    segments: Sequence[SpeakerSegment]
    """In the order of their starts; they overlap where several speak at once and the engine can tell."""
    words: Mapping[int, Sequence[RecognisedWord]]
    """Words by index into ``segments``."""
    voices: VoiceProfiles
    """To know the speakers by in another session."""


class SpeakerStage(Protocol):
    """Follows one session from its first sample to its last. Calls come in the order of time."""

    def known_through(self, heard: int) -> int:
        """Who speaks is known before this sample, when ``heard`` samples were heard."""
        ...

    async def hear(self, audio: AudioBuffer, heard: int) -> int:
        """The audio before sample ``heard`` lies in the buffer; returns the first sample still needed."""
        ...

    async def follow(self, number: int, under_way: SpeechSegment, audio: AudioBuffer) -> int:
        """Speech segment ``number`` has come so far; returns the first sample still needed of it."""
        ...

    async def close_segment(self, number: int, segment: SpeechSegment, audio: AudioBuffer) -> None:
        """Speech segment ``number`` has ended."""
        ...

    def abandon(self, number: int) -> None:
        """What seemed to be segment ``number`` was none."""
        ...

    def take_words(self, number: int, words: Sequence[RecognisedWord], *, complete: bool) -> None:
        """The words of speech segment ``number`` so far; ``complete``: no more of what was heard of it come."""
        ...

    async def changes(self, words_through_s: float) -> Sequence[TurnEvent]:
        """Turns to say now; every word before ``words_through_s`` (seconds) was taken."""
        ...

    async def finish(self, audio: AudioBuffer) -> None:
        """No more audio comes, and every segment has ended."""
        ...

    def conclude(self, speech: Sequence[SpeechSegment], words: Sequence[RecognisedWord]) -> SettledSpeakers:
        """Who spoke, over the whole session. May take seconds: not for the event loop."""
        ...

    def revision_of(self, segment_id: int) -> int:
        """The last revision said of a segment; 0: none."""
        ...
