"""What the Dockerfile says, stage by stage, and what each image has in it."""

from __future__ import annotations

import ast
import functools
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path

from dockerfile_parse import DockerfileParser
from packaging.utils import canonicalize_name

from tests.deploy.programs import ROOT

# Where the images have our files.
PLACE = "/opt/meetra/"


@dataclass(frozen=True)
class Copy:
    """A COPY: from a stage, or from the repository."""

    stage: str
    """Empty: the repository."""
    sources: tuple[str, ...]
    target: str


@dataclass
class Stage:
    """A stage of the build."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def values(self, instruction: str) -> list[str]:
        """What follows an instruction, each time."""
        return [value for name, value in self.instructions if name == instruction]

    @property
    def copies(self) -> list[Copy]:
        """Its COPY instructions."""
        found = []
        for value in self.values("COPY"):
            words = value.split()
            flags = [word for word in words if word.startswith("--")]
            *sources, target = [word for word in words if not word.startswith("--")]
            stage = next((flag.removeprefix("--from=") for flag in flags if flag.startswith("--from=")), "")
            found.append(Copy(stage, tuple(sources), target))
        return found


@functools.cache
def stages() -> dict[str, Stage]:
    """Return the stages by name, in their order."""
    found: dict[str, Stage] = {}
    for step in DockerfileParser(path=str(ROOT / "Dockerfile"), cache_content=True).structure:
        instruction, value = step["instruction"], step["value"]
        if instruction == "COMMENT":
            continue
        if instruction == "FROM":
            base, _, name = re.split(r"\s+", value)
            current = found[name] = Stage(name, base)
        else:
            current.instructions.append((instruction, value))
    return found


def lineage(name: str) -> list[Stage]:
    """Return a stage after those that it is made from, the first one on an image of others."""
    present = stages()
    found = [present[name]]
    while found[0].base in present:
        found.insert(0, present[found[0].base])
    return found


def last(name: str, instruction: str) -> str:
    """Return what an image has of an instruction of which the last one counts; empty without one."""
    values = [value for stage in lineage(name) for value in stage.values(instruction)]
    return values[-1] if values else ""


def command(name: str) -> list[str]:
    """Return the command line of an image."""
    found: list[str] = json.loads(last(name, "ENTRYPOINT")) + json.loads(last(name, "CMD") or "[]")
    return found


def environment(name: str) -> dict[str, str]:
    """Return the variables that an image sets."""
    values = [value for stage in lineage(name) for value in stage.values("ENV")]
    return dict(pair for value in values for pair in re.findall(r"(\w+)=(\S+)", value))


def locks(name: str) -> list[str]:
    """Return the files of requirements that the packages of an image are from."""
    (packages,) = {copy.stage for stage in lineage(name) for copy in stage.copies if copy.stage.endswith("-packages")}
    return re.findall(r"-r (\S+)", " ".join(stages()[packages].values("RUN")))


def pinned(lock: str) -> dict[str, set[str]]:
    """Return the versions of a file of requirements, by package."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([\w.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


def modules(name: str) -> list[Path]:
    """Return the paths of our modules in an image, below the repository."""
    found: list[Path] = []
    for copy in (copy for stage in lineage(name) for copy in stage.copies):
        for source in copy.sources:
            path = ROOT / source.removeprefix(PLACE)
            found += [path] if path.suffix == ".py" else sorted(path.rglob("*.py")) if ".venv" not in source else []
    return [path.relative_to(ROOT) for path in found]


def imports(module: Path) -> Iterator[str]:
    """Yield the full names of the modules that a module imports, in functions too."""
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def missing(name: str, optional: frozenset[str]) -> list[str]:
    """Return what modules of an image import and the image lacks, as lines.

    Args:
        optional: what is imported only where it is installed.
    """
    present = modules(name)
    ours = {part for path in present for part in (str(path), *map(str, path.parents))}
    installed = {package for lock in locks(name) for package in pinned(lock)}
    distributions = packages_distributions()
    lines = set()
    for module in present:
        for imported in imports(module):
            top = imported.split(".")[0]
            if top in sys.stdlib_module_names or top in optional:
                continue
            if any((ROOT / root / top).is_dir() for root in ("", "gen", "clients/python")):
                path = imported.replace(".", "/")
                if not {f"{root}{path}{end}" for root in ("", "gen/", "clients/python/") for end in ("", ".py")} & ours:
                    lines.add(f"{module} imports {imported}, which is not copied")
            elif not installed & {canonicalize_name(one) for one in distributions.get(top, [top])}:
                lines.add(f"{module} imports {imported}, which is not in {' '.join(locks(name))}")
    return sorted(lines)
