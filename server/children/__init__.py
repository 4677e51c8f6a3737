"""Programs that handle untrusted input, each run as a child process, and their protocols."""

from server.children.document_parts import PART
from server.children.opus_messages import HEAD, LENGTH, MESSAGE, PACKETS

__all__ = [
    "HEAD",
    "LENGTH",
    "MESSAGE",
    "PACKETS",
    "PART",
]
