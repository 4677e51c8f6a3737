"""Word stages: from the audio of a session to its recognised words."""

from inference.words.stage_selection import create_word_stage

__all__ = [
    "create_word_stage",
]
