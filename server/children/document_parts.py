"""How a document comes to the typesetter: parts, each as its length and its bytes."""

from __future__ import annotations

import struct

PART = struct.Struct(">I")
"""The length of a part, bytes."""
