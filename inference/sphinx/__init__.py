"""PocketSphinx: the recogniser that needs no download. Weak on meetings, and it says so by its confidence."""

from inference.sphinx.transcriber import SphinxTranscriber

__all__ = ["SphinxTranscriber"]
