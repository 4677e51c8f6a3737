"""Origins of pages that may call: named in full, by a wildcard, or all."""

from __future__ import annotations

import re

ANY = "*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ORIGIN = re.compile(rf"(https?://)(\*\.)?({_LABEL}(?:\.{_LABEL})*)(:[1-9]\d{{0,4}})?")
_MAX_PORT = 65_535
# As for certificates: one label, not several, so that whoever may name hosts below one of them gains nothing.
_WILDCARD = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?[.]"


class NoOrigin(ValueError):
    """A text is no origin, nor a pattern of some."""


def parse_origin(text: str) -> str:
    """Return an origin as browsers send it, or a pattern of some, in lower case. Raises NoOrigin.

    ``https://app.example`` is one page's; ``https://*.example.com`` all whose host has one label more; ``*`` any.
    """
    text = text.lower()
    if text == ANY:
        return text
    found = _ORIGIN.fullmatch(text)
    if not found or int((found[4] or ":1")[1:]) > _MAX_PORT:
        raise NoOrigin(text)
    if found[2] and "." not in found[3] and found[3] != "localhost":
        # Everybody's, not somebody's.
        raise NoOrigin(text)
    return text


def origin_regex(origin: str) -> str:
    """Return the regular expression, RE2, that an ``Origin`` header matches in full. Raises NoOrigin."""
    origin = parse_origin(origin)
    if origin == ANY:
        return ".+"
    found = _ORIGIN.fullmatch(origin)
    assert found is not None
    scheme, wildcard, host, port = found.groups()
    # Dots in brackets: the expression passes YAML and JSON without a backslash.
    return f"{scheme}{_WILDCARD if wildcard else ''}{host.replace('.', '[.]')}{port or ''}"
