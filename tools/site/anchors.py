"""Anchors of headings, as forges make them."""

from __future__ import annotations

import re
from collections.abc import Callable


def anchor(heading: str, _separator: str = "-") -> str:
    """Return the anchor of a heading: lower case, no punctuation, each space a hyphen."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def slugify() -> Callable[[str, str], str]:
    """Return what Python-Markdown makes anchors with; the separator that it names is always a hyphen."""
    return anchor
