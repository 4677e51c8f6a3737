"""The gRPC services of the inference server, and how sessions are told in their messages."""

from inference.api.language import LanguageServicer
from inference.api.service import SessionServicer

__all__ = [
    "LanguageServicer",
    "SessionServicer",
]
