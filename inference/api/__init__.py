"""The gRPC services of the inference server, and the mapping of sessions to their messages."""

from inference.api.admission import SessionLimits, default_max_sessions
from inference.api.language import LanguageServicer
from inference.api.service import SessionServicer
from inference.api.transport import TLS_SETTINGS, listen

__all__ = [
    "LanguageServicer",
    "SessionLimits",
    "default_max_sessions",
    "SessionServicer",
    "TLS_SETTINGS",
    "listen",
]
