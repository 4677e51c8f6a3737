"""Word stages: from the audio of a session to its recognised words."""

from inference.words.stage_choice import word_stage

__all__ = [
    "word_stage",
]
