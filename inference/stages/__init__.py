"""The contract of a session's stages: the audio they read, the events they emit, the Protocols they implement."""

from inference.stages.audio_buffer import AudioBuffer
from inference.stages.events import Event, FinishedEvent, ProgressEvent, SessionStage, TurnEvent, TurnState
from inference.stages.speaker_stage import FinalDiarization, SpeakerStage
from inference.stages.word_stage import UndetectedLanguage, WordStage

__all__ = [
    "SessionStage",
    "AudioBuffer",
    "Event",
    "FinishedEvent",
    "ProgressEvent",
    "FinalDiarization",
    "SpeakerStage",
    "TurnEvent",
    "TurnState",
    "UndetectedLanguage",
    "WordStage",
]
