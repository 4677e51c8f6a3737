"""Documents whose end is generated: what a person writes stands above a line that says by what."""

from __future__ import annotations

from pathlib import Path

MARK = "<!-- Below this line: "


def written_part(path: Path) -> str:
    """Return a document up to its mark, with it. Raises ValueError where it has none."""
    text = path.read_text(encoding="utf-8")
    start = text.find(MARK)
    if start < 0:
        raise ValueError(f"{path} has no line that begins with {MARK!r}")
    return text[: text.index("\n", start) + 1]


def with_part(path: Path, part: str) -> str:
    """Return a document with this end."""
    return f"{written_part(path)}\n{part.strip()}\n"


def write_part(path: Path, part: str) -> None:
    """Replace the generated end of a document."""
    path.write_text(with_part(path, part), encoding="utf-8")
