"""Comments of protos as Markdown."""

from __future__ import annotations

import re

from tools.site.documents import relative

CODE = re.compile(r"(`[^`]+`)")
DOCUMENT = re.compile(r"\bdocs/([\w-]+\.md)\b")
PROTO = re.compile(r"\b(\w+)\.proto\b")


def prose(text: str, page: str, protos: frozenset[str]) -> str:
    """Return a comment as Markdown for a page: nothing in it is markup but code, and files of ours are links.

    Args:
        text: the comment, in one line.
        page: path of the page, from the root of the site.
        protos: names of the protos that have pages, without suffix.
    """
    return "".join(part if part.startswith("`") else _escaped(part, page, protos) for part in CODE.split(text) if part)


def _escaped(text: str, page: str, protos: frozenset[str]) -> str:
    text = re.sub(r"([\\*_\[\]])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;")
    text = DOCUMENT.sub(lambda match: f"[{match[1]}]({relative(match[1], page)})", text)
    return PROTO.sub(
        lambda match: f"[{match[0]}]({relative(f'grpc/{match[1]}.md', page)})" if match[1] in protos else match[0], text
    )


def cell(text: str) -> str:
    """Return Markdown that fits into a cell of a table."""
    return text.replace("\n", " ").replace("|", "\\|")
