"""Readable documents: plain text and Markdown."""

from __future__ import annotations

import re

from server.documents.meeting import DocumentedMeeting
from server.documents.outline import Block, Points, Said, Table, sections, subtitle

# What Markdown (CommonMark and its tables) gives a meaning to, anywhere or at the beginning of a line.
_MARKS = re.compile(r"([\\`*_\[\]<>|~#&!])")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")


def to_txt(meeting: DocumentedMeeting) -> str:
    """Return plain text in UTF-8, a statement a paragraph."""
    lines = [meeting.name, subtitle(meeting)]
    for section in sections(meeting):
        lines += ["", section.heading.upper()]
        for block in section.blocks:
            lines += ["", _plain(block)]
    return "\n".join(lines) + "\n"


def _plain(block: Block) -> str:
    if isinstance(block, Said):
        return f"[{block.clock}] {block.name}: {block.text}"
    if isinstance(block, Points):
        return "\n".join(f"- {text}" for text in block.texts)
    if isinstance(block, Table):
        return "\n".join("  ".join(cell for cell in row if cell) for row in block.rows[1:])
    return block


def to_markdown(meeting: DocumentedMeeting) -> str:
    """Return CommonMark with tables. Nothing that was said has a meaning in Markdown."""
    parts = [f"# {_escaped(meeting.name)}", _escaped(subtitle(meeting))]
    for section in sections(meeting):
        parts += [f"## {section.heading}", *map(_markdown, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Said):
        return f"**{_escaped(block.name)}** ({block.clock}): {_escaped(block.text)}"
    if isinstance(block, Points):
        return "\n".join(f"- {_escaped(text)}" for text in block.texts)
    if isinstance(block, Table):
        rows = [f"| {' | '.join(map(_escaped, row))} |" for row in block.rows]
        return "\n".join([rows[0], f"|{'---|' * len(block.rows[0])}", *rows[1:]])
    return _escaped(block)


def _escaped(text: str) -> str:
    escaped = _MARKS.sub(r"\\\1", " ".join(text.split()))
    return _LINE_START.sub(_escape_mark, escaped)


def _escape_mark(found: re.Match[str]) -> str:
    indent, mark = found.groups()
    # "1." begins a list, and only its dot can be escaped.
    return f"{indent}{mark}\\" if mark.isdigit() else f"{indent}\\{mark}"
