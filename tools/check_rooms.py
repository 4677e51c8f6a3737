"""Check that packages import only one another's exports, and not in cycles.

    python -m tools.check_rooms [--arrows]

A room is a package, or a module directly in ``server`` or ``inference``. Other rooms may import only the names in its
``__all__``. Exits with 1 on an import of anything else, or on an import cycle of rooms or modules, imports within
functions included. ``--arrows`` prints the imports between rooms.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOP_PACKAGES = ("cli", "server", "inference", "gateway", "privacy", "health", "monitoring", "web")
# Top packages whose direct modules are rooms.
SPLIT_PACKAGES = frozenset({"server", "inference"})


class SourceTree:
    """The modules below the top packages, and their rooms."""

    def __init__(self, root: Path, tops: tuple[str, ...] = TOP_PACKAGES) -> None:
        self._files = {
            _module(path.relative_to(root)): path for top in tops for path in sorted((root / top).rglob("*.py"))
        }
        self.rooms = sorted({self.room_of(name) for name in self._files})
        self._trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self._files.items()}

    def room_of(self, module: str) -> str:
        """Return the room of a module: its package, or the module itself if it is directly in a top package."""
        path = self._files[module]
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        return module if package in SPLIT_PACKAGES else package

    def imports(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield each import across rooms: importing module, imported module, name, line."""
        for importer, target, name, line in self._all_imports():
            if self.room_of(target) != self.room_of(importer):
                yield importer, target, name, line

    def _all_imports(self) -> Iterator[tuple[str, str, str, int]]:
        for importer, tree in self._trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module in self._files:
                    for alias in node.names:
                        yield self._import(importer, node.module, alias.name, node.lineno)
                elif isinstance(node, ast.Import):
                    for alias in node.names:
                        if alias.name in self._files:
                            yield self._import(importer, alias.name, "", node.lineno)

    def _import(self, importer: str, module: str, name: str, line: int) -> tuple[str, str, str, int]:
        # ``from package import module`` imports a room from a top package.
        target = f"{module}.{name}" if module in SPLIT_PACKAGES and f"{module}.{name}" in self._files else module
        return importer, target, name, line

    def exports(self, room: str) -> frozenset[str]:
        """Return the names in the room's ``__all__``."""
        for node in self._trees[room].body:
            if isinstance(node, ast.Assign) and [getattr(to, "id", "") for to in node.targets] == ["__all__"]:
                return frozenset(ast.literal_eval(node.value))
        return frozenset()

    def private_imports(self) -> list[str]:
        """Return the imports of names that a room does not export, as lines to print."""
        exports = {room: self.exports(room) for room in self.rooms if self._files[room].name == "__init__.py"}
        return [
            f"{importer}:{line}: {module} {name}".rstrip()
            for importer, module, name, line in self.imports()
            if (room := self.room_of(module)) in exports and (module != room or name not in exports[room])
        ]

    def dependencies(self) -> dict[str, set[str]]:
        """Return the rooms that each room imports."""
        found: dict[str, set[str]] = defaultdict(set)
        for importer, module, _, _ in self.imports():
            found[self.room_of(importer)].add(self.room_of(module))
        return dict(found)

    def module_dependencies(self) -> dict[str, set[str]]:
        """Return the modules that each module imports; imports between a package and its own modules are left out."""
        found: dict[str, set[str]] = defaultdict(set)
        for importer, module, name, _ in self._all_imports():
            target = f"{module}.{name}" if f"{module}.{name}" in self._files else module
            if not importer.startswith(f"{target}.") and not target.startswith(f"{importer}.") and target != importer:
                found[importer].add(target)
        return dict(found)


def find_cycle(dependencies: dict[str, set[str]]) -> list[str]:
    """Return the members of an import cycle; empty if there is none."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main() -> int:
    """Check the repository's rooms; return 0 if they are clean, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_rooms", description=__doc__.splitlines()[0])
    parser.add_argument("--arrows", action="store_true", help="print the imports between rooms")
    options = parser.parse_args()
    tree = SourceTree(ROOT)
    dependencies, private_imports = tree.dependencies(), tree.private_imports()
    cycle = find_cycle(dependencies) or find_cycle(tree.module_dependencies())
    if options.arrows:
        for room, imported in sorted(dependencies.items()):
            print(f"{room}: {', '.join(sorted(imported))}")
    for line in private_imports:
        print(f"private import: {line}")
    if cycle:
        print(f"import cycle: {' -> '.join(cycle)}")
    print(
        f"{len(tree.rooms)} rooms, {sum(map(len, dependencies.values()))} dependencies, "
        f"{len(private_imports)} private imports, {'an import cycle' if cycle else 'no import cycle'}"
    )
    return 1 if private_imports or cycle else 0


if __name__ == "__main__":
    sys.exit(main())
