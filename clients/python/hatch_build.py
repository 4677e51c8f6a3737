"""Build hook: package the generated ``meetra.v1``, from the repository's gen/ or the unpacked sdist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GeneratedCode(BuildHookInterface):  # type: ignore[type-arg]
    """Include ``meetra/__init__.py`` and ``meetra/v1`` in the build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the generated files to the build. Raises FileNotFoundError if there are none."""
        root = Path(self.root)
        source = root / "meetra" if (root / "meetra").is_dir() else root.parents[1] / "gen" / "meetra"
        if not (source / "v1" / "live_pb2.py").is_file():
            raise FileNotFoundError(f"{source} has no generated code: run `make generate` in the repository first")
        for path in (source / "__init__.py", *sorted((source / "v1").glob("*.py*"))):
            build_data["force_include"][str(path)] = f"meetra/{path.relative_to(source)}"
