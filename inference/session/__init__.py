"""Sessions: one stream of audio, processed by its stages from the first sample to the last."""

from inference.session.session import Session, SessionConfig

__all__ = ["Session", "SessionConfig"]
