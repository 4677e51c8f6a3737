"""How the server and its decoder of Opus packets speak to one another; ``decode_opus.py`` says what they say."""

from __future__ import annotations

import struct

HEAD = b"H"
PACKETS = b"P"
MESSAGE = struct.Struct("<cI")
LENGTH = struct.Struct("<I")
