"""Programs that decode untrusted input, each run as a child process, and their protocol."""

from server.children.opus_messages import HEAD, LENGTH, MESSAGE, PACKETS

__all__ = [
    "HEAD",
    "LENGTH",
    "MESSAGE",
    "PACKETS",
]
