"""Word stages: from the audio of a session to the words said in it."""

from inference.words.stage_choice import word_stage

__all__ = [
    "word_stage",
]
