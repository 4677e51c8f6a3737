"""Speaker stages: from the audio of a session to who spoke when."""

from inference.speakers.clustered_speakers import ClusteredSpeakers
from inference.speakers.framed_speakers import FramedSpeakers
from inference.speakers.voice_windows import empty_segmented_windows

__all__ = [
    "ClusteredSpeakers",
    "FramedSpeakers",
    "empty_segmented_windows",
]
