"""Random messages of any protobuf type, and random bytes in place of messages."""

from __future__ import annotations

import random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

F = FieldDescriptor
MAX_DEPTH = 4
TEXTS = (
    "", " ", "\0", "a\0b", "x" * 5000, "\u202eleinaD", "\U0001f4a5" * 300, "' OR 1=1; --", "../../etc/passwd", "%s%n%d",
    "en", "xx-yy", "2026-11-28T10:00:00Z", "9" * 40, "-1", "NaN", "f" * 64, "F" * 64, "t0", "mix",
    "00000000-0000-0000-0000-000000000000", "\u0663", "\x1b[31m", "\ufffe",
)  # fmt: skip
INTEGERS = (0, 1, -1, 2, 7, 16_000, 48_000, 2**31 - 1, -(2**31), 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, float("inf"), float("-inf"), float("nan"), 5e-324)
RANGES = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1),
    F.TYPE_SINT32: (-(2**31), 2**31 - 1),
    F.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    F.TYPE_UINT32: (0, 2**32 - 1),
    F.TYPE_FIXED32: (0, 2**32 - 1),
    F.TYPE_INT64: (-(2**63), 2**63 - 1),
    F.TYPE_SINT64: (-(2**63), 2**63 - 1),
    F.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1),
    F.TYPE_FIXED64: (0, 2**64 - 1),
}


class MessageFuzzer:
    """Makes messages; the same seed and known texts make the same ones."""

    def __init__(self, seed: int, known: dict[str, list[Any]] | None = None) -> None:
        """``known``: values by field name that get past the first checks, such as the hash of a meeting."""
        self.random = random.Random(seed)
        self._known = known or {}

    def message(self, descriptor: Descriptor, depth: int = 0) -> Message:
        """Return a message of a type with random fields."""
        made: Message = GetMessageClass(descriptor)()
        for field in descriptor.fields:
            if self.random.random() < 0.7:
                self._fill(made, field, depth)
        return made

    def wire(self, descriptor: Descriptor) -> bytes:
        """Return the bytes of a random message; one in five is damaged."""
        data = self.message(descriptor).SerializeToString()
        return self.damaged(data) if self.random.random() < 0.2 else data

    def damaged(self, data: bytes) -> bytes:
        """Return the data with some bytes changed, left out, doubled or added."""
        made = bytearray(data)
        for _ in range(self.random.randint(1, 8)):
            at, length = self.random.randint(0, len(made)), self.random.choice((1, 1, 2, 4, 16, 256))
            match self.random.randrange(5):
                case 0:
                    made[at : at + 1] = bytes([self.random.randrange(256)])
                case 1:
                    del made[at : at + length]
                case 2:
                    made[at:at] = made[at : at + length]
                case 3:
                    made[at : at + 4] = self.random.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
                case 4:
                    made[at:at] = self.random.randbytes(length)
        return bytes(made)

    def _fill(self, made: Message, field: FieldDescriptor, depth: int) -> None:
        if field.message_type is not None and depth >= MAX_DEPTH:
            return
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            entry = self.message(field.message_type, depth + 1)
            target = getattr(made, field.name)
            if field.message_type.fields_by_name["value"].message_type is None:
                target[entry.key] = entry.value  # type: ignore[attr-defined]
        elif field.is_repeated:
            for _ in range(self.random.choice((0, 1, 1, 2, 3, 40))):
                if field.message_type is not None:
                    getattr(made, field.name).add().CopyFrom(self.message(field.message_type, depth + 1))
                else:
                    getattr(made, field.name).append(self._value(field))
        elif field.message_type is not None:
            getattr(made, field.name).CopyFrom(self.message(field.message_type, depth + 1))
        else:
            setattr(made, field.name, self._value(field))

    def _value(self, field: FieldDescriptor) -> Any:
        if field.name in self._known and self.random.random() < 0.6:
            return self.random.choice(self._known[field.name])
        match field.type:
            case F.TYPE_STRING:
                return self.random.choice(TEXTS)
            case F.TYPE_BYTES:
                return self.random.randbytes(self.random.choice((0, 1, 2, 31, 640, 6400, 70_000)))
            case F.TYPE_BOOL:
                return self.random.random() < 0.5
            case F.TYPE_DOUBLE | F.TYPE_FLOAT:
                return self.random.choice(FLOATS if field.type == F.TYPE_DOUBLE else FLOATS[:5])
            case F.TYPE_ENUM if field.enum_type is not None:
                return self.random.choice([*(value.number for value in field.enum_type.values), 99, -1, 2**31 - 1])
        low, high = RANGES[field.type]
        value = self.random.choice((*INTEGERS, self.random.randint(low, high)))
        return min(high, max(low, value))
