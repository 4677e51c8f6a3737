"""Build hook: generate ``meetra.v1`` from the repository's proto/, or take it from the unpacked sdist, and package it.

``meetra`` itself is a namespace package, without a file of its own: the server's own code may lie beside it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("meetra", "v1")


class GeneratedCode(BuildHookInterface):  # type: ignore[type-arg]
    """Include the messages, stubs and types of ``meetra/v1`` in the build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the generated files to the build. Raises FileNotFoundError if there are neither protos nor code."""
        self._folder = TemporaryDirectory(prefix="meetra-client-")
        source = Path(self.root)
        if not (source / PACKAGE / "live_pb2.py").is_file():
            source = Path(self._folder.name)
            generate(Path(self.root).parents[1] / "proto", source)
        for path in sorted((source / PACKAGE).iterdir()):
            for kind in ("force_include", "force_include_editable"):
                build_data.setdefault(kind, {})[str(path)] = str(PACKAGE / path.name)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was generated."""
        self._folder.cleanup()


def generate(protos: Path, target: Path) -> None:
    """Generate ``meetra/v1`` below ``target``.

    Args:
        protos: the import root of ``meetra/v1/*.proto``.
        target: an import root of Python.

    Raises FileNotFoundError if there are no protos, RuntimeError if they do not compile.
    """
    # Only an isolated build needs them, so a look at this module does not.
    import grpc_tools
    from google.api import annotations_pb2
    from grpc_tools import protoc

    sources = sorted((protos / PACKAGE).glob("*.proto"))
    if not sources:
        raise FileNotFoundError(f"{protos / PACKAGE} has no .proto files: build from a checkout, or from an sdist")
    # The plugins lie beside the interpreter; in an isolated build pip adds theirs.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    includes = [protos, Path(annotations_pb2.__file__).parents[2], Path(grpc_tools.__file__).parent / "_proto"]
    code = protoc.main(
        [
            "protoc",
            *(f"-I{folder}" for folder in includes),
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            *map(str, sources),
        ]
    )
    if code:
        raise RuntimeError(f"protoc failed on {protos} with exit code {code}")
    for name in ("__init__.py", "py.typed"):
        (target / PACKAGE / name).touch()
