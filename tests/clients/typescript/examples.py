"""The programs in the README of the TypeScript client."""

from __future__ import annotations

import re

from tests.clients.typescript.package import SOURCE

README = (SOURCE / "README.md").read_text(encoding="utf-8")
EXAMPLES: list[str] = re.findall(r"^```ts\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
ADDRESS = "http://localhost:8080"


def example(containing: str) -> str:
    """Return the one example with this text."""
    (found,) = [text for text in EXAMPLES if containing in text]
    return found
