"""Programs that decode hostile input, each a process of its own that the server starts; what is shared with them."""

from server.children.opus_messages import HEAD, LENGTH, MESSAGE, PACKETS

__all__ = [
    "HEAD",
    "LENGTH",
    "MESSAGE",
    "PACKETS",
]
