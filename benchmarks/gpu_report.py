"""What the benchmarks of models on a GPU say of the machine, and where they write what they find."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.circumstances import circumstances
from inference.gpu import NvmlFailed, read_driver

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
"""Names of formats in options, and in settings."""


class Report:
    """What is found, printed as it comes and written to a file each time."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.found: dict[str, Any] = {}

    def add(self, name: str, value: Any) -> None:
        """Keep a result, and write all so far."""
        self.found[name] = value
        if self._path:
            self._path.write_text(json.dumps(self.found, indent=2) + "\n")

    def append(self, name: str, value: Any) -> None:
        """Add to a list of results."""
        self.add(name, [*self.found.get(name, []), value])


def describe() -> dict[str, Any]:
    """The machine, its load, versions, GPUs and their driver; torch is not needed."""
    around = circumstances()
    around["load"] = round(os.getloadavg()[0], 2)
    try:
        driver = read_driver()
    except NvmlFailed as error:
        around["driver"] = str(error)
    else:
        around["driver"] = driver.version if driver else "none"
        around["gpus"] = [card.name for card in driver.cards] if driver else []
    return around
