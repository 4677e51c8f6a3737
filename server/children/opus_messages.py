"""The message formats between the server and its Opus decoder; the protocol is in ``decode_opus.py``."""

from __future__ import annotations

import struct

HEAD = b"H"
PACKETS = b"P"
MESSAGE = struct.Struct("<cI")
LENGTH = struct.Struct("<I")
