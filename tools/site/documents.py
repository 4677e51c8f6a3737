"""Turn a document of the repository into a page of the site."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
PICTURE = re.compile(r"(src|srcset)=\"(?![a-z]+:)([^\"]+)\"")
FENCED = re.compile(r"(^[ ]*```.*?^[ ]*```[ ]*$)", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^(\s*)([-*]|\d+\.) ")
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")


class Targets:
    """Where links of documents lead on the site."""

    def __init__(self, pages: Mapping[str, str], source_url: str = "") -> None:
        """Args:

        pages: page of each document, both as paths, one from the root of the repository, the other from the site's.
        source_url: where the repository's files can be read, such as ``https://forge.example/meetra/blob/main``. Empty:
            what is no page is named and not linked.
        """
        self._pages = pages
        self._source_url = source_url.rstrip("/")

    def link(self, page: str, document: str, mark: str, text: str, target: str) -> str:
        """Return the Markdown of one link of a document, as it is on its page."""
        if "://" in target or target.startswith("mailto:"):
            return f"{mark}[{text}]({target})"
        path, _, anchor = target.partition("#")
        found = self._resolve(document, path) if path else document
        anchor = f"#{anchor}" if anchor else ""
        if found in self._pages:
            return f"{mark}[{text}]({relative(self._pages[found], page)}{anchor})"
        if pictures := _picture(found):
            return f"{mark}[{text}]({relative(pictures, page)})"
        if self._source_url:
            return f"{mark}[{text}]({self._source_url}/{found}{anchor})"
        return text if _names(text, found) else f"{text} (`{found}`)"

    def picture(self, page: str, document: str, path: str) -> str:
        """Return the path of a picture that a document shows by HTML, from its page."""
        found = self._resolve(document, path)
        return relative(_picture(found) or found, page)

    def _resolve(self, document: str, path: str) -> str:
        return os.path.normpath(str(PurePosixPath(document).parent / path))


def _picture(path: str) -> str:
    """Return where a picture of the docs is on the site, nothing for another file."""
    return path.removeprefix("docs/") if path.startswith("docs/pictures/") else ""


def _names(text: str, path: str) -> bool:
    """Return whether the text of a link says by itself which file is meant."""
    return PurePosixPath(path).name in text or path.rstrip("/").endswith(text.strip("`/"))


def relative(path: str, page: str) -> str:
    """Return a path of the site as seen from a page of it."""
    return os.path.relpath(path, PurePosixPath(page).parent or ".")


def page_of(text: str, page: str, document: str, targets: Targets) -> str:
    """Return the Markdown of a page.

    Links lead to pages, pictures are found, and a list that interrupts a paragraph is a list (Python-Markdown wants an
    empty line before it). Code is left as it is.
    """
    parts = FENCED.split(text)
    # Every second part is a block of code.
    parts[::2] = [
        _outside_code(_with_lists(part), lambda prose: _linked(prose, page, document, targets)) for part in parts[::2]
    ]
    return "".join(parts).rstrip("\n") + "\n"


def _with_lists(prose: str) -> str:
    """Add the empty line that Python-Markdown wants before a list."""
    lines: list[str] = []
    for line in prose.splitlines(keepends=True):
        if _interrupts(line, lines[-1] if lines else ""):
            lines.append("\n")
        lines.append(line)
    return "".join(lines)


def _interrupts(line: str, before: str) -> bool:
    begins = ITEM.match(line)
    return bool(begins and not begins[1] and before.strip() and not ITEM.match(before) and not before.startswith(" "))


def _outside_code(prose: str, change: Callable[[str], str]) -> str:
    """Apply a change to text, in which code between backticks is hidden from it."""
    codes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        codes.append(match[0])
        return f"\0{len(codes) - 1}\0"

    changed = change(CODE.sub(hide, prose))
    return re.sub(r"\0(\d+)\0", lambda match: codes[int(match[1])], changed)


def _linked(prose: str, page: str, document: str, targets: Targets) -> str:
    prose = LINK.sub(lambda match: targets.link(page, document, match[1], match[2], match[3]), prose)
    return PICTURE.sub(lambda match: f'{match[1]}="{targets.picture(page, document, match[2])}"', prose)
