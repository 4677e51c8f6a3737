"""What a JSON body must be, exactly.

A dict holds these keys and no others, a list holds one shape for all items, a ``Map`` has keys
and values of a shape, a type or a check is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

Shape = Any
Check = Callable[[Any], bool]


@dataclass(frozen=True)
class Map:
    """An object whose keys and values have a shape."""

    key: Shape
    value: Shape


def whole(value: Any) -> bool:
    """An integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    """A JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole_score(value: Any) -> bool:
    """An integer from 0 to 100."""
    return whole(value) and 0 <= value <= 100


def score(value: Any) -> bool:
    """A number from 0 to 100."""
    return number(value) and 0 <= value <= 100


def fraction(value: Any) -> bool:
    """A number from 0 to 1."""
    return number(value) and 0 <= value <= 1


def opinion(value: Any) -> bool:
    """A mean opinion score."""
    return number(value) and 1 <= value <= 5


def milliseconds(value: Any) -> bool:
    """A time from the start of the meeting."""
    return whole(value) and value >= 0


def text(value: Any) -> bool:
    """A string that says something."""
    return isinstance(value, str) and bool(value.strip())


def any_text(value: Any) -> bool:
    """A string."""
    return isinstance(value, str)


def uuid(value: Any) -> bool:
    """A UUID."""
    return isinstance(value, str) and str(UUID(value)) == value


def clock(value: Any) -> bool:
    """HH:MM:SS."""
    return isinstance(value, str) and re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", value) is not None


def sha256(value: Any) -> bool:
    """64 hexadecimal digits."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def one_of(*values: str) -> Check:
    """One of these strings."""
    return lambda value: value in values


def optional(shape: Shape) -> Shape:
    """A key that may be absent."""
    return Optional(shape)


@dataclass(frozen=True)
class Optional:
    """See ``optional``."""

    shape: Shape


def mismatch(shape: Shape, value: Any, place: str = "body") -> str:
    """What is wrong with ``value``; empty where it has the shape."""
    if isinstance(shape, dict):
        return _object_mismatch(shape, value, place)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place}: {value!r} is no list"
        return next((m for i, item in enumerate(value) if (m := mismatch(shape[0], item, f"{place}[{i}]"))), "")
    if isinstance(shape, Map):
        if not isinstance(value, dict):
            return f"{place}: {value!r} is no object"
        pairs = [(shape.key, key, f"{place} key") for key in value]
        pairs += [(shape.value, item, f"{place}.{key}") for key, item in value.items()]
        return next((m for s, v, p in pairs if (m := mismatch(s, v, p))), "")
    if isinstance(shape, type):
        return "" if type(value) is shape else f"{place}: {value!r} is no {shape.__name__}"
    return "" if shape(value) else f"{place}: {value!r} is no {shape.__name__}"


def _object_mismatch(shape: dict[str, Shape], value: Any, place: str) -> str:
    if not isinstance(value, dict):
        return f"{place}: {value!r} is no object"
    if unknown := set(value) - set(shape):
        return f"{place}: {sorted(unknown)} is not documented"
    for name, part in shape.items():
        if name not in value:
            if isinstance(part, Optional):
                continue
            return f"{place}: {name} is missing"
        inner = part.shape if isinstance(part, Optional) else part
        if found := mismatch(inner, value[name], f"{place}.{name}"):
            return found
    return ""
