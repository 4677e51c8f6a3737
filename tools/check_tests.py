"""Check that tests mirror the tree.

    python -m tools.check_tests

The tests of ``server/media/gain.py`` are in ``tests/server/media``, in ``test_gain.py`` or ``test_gain_<aspect>.py``;
``test_main.py`` stands for ``__main__.py``. Exits with 1 for a module with functions that has no such file and is not
in ``TESTED_BY``, and for a file of tests that belongs to no module or package.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.tested_by import TESTED_BY

ROOT = Path(__file__).resolve().parent.parent
TREES = {
    "cli": "cli",
    "gateway": "gateway",
    "health": "health",
    "inference": "inference",
    "privacy": "privacy",
    "server": "server",
    "tools": "tools",
    "clients/python/meetra_client": "clients/python",
}
"""Folders of modules, and the folder below ``tests`` that mirrors each."""
# Tests of the whole system, in a browser too, of what is not Python, of documents, of images, and of benchmarks, which
# are no part of the product.
OF_THEIR_OWN = ("e2e", "browser", "clients/typescript", "web", "docs", "deploy", "benchmarks")


def has_logic(module: Path) -> bool:
    """Return whether a module has functions or methods, those of protocols aside."""
    return any(_functions(ast.parse(module.read_text(encoding="utf-8"))))


def _functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        elif not (isinstance(child, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in child.bases)):
            yield from _functions(child)


def tested_name(module: Path) -> str:
    """Return what follows ``test_`` in the names of a module's tests."""
    if module.stem == "__init__":
        return module.parent.name
    return module.stem.strip("_")


def own_tests(root: Path, module: str) -> list[Path]:
    """Return the files of a module's own tests.

    Args:
        root: the repository.
        module: path of the module below it.
    """
    tree = next(tree for tree in TREES if module.startswith(f"{tree}/"))
    folder = root / "tests" / TREES[tree] / Path(module).relative_to(tree).parent
    name = tested_name(Path(module))
    return [path for path in sorted(folder.glob("test_*.py")) if _is_of(path, name)]


def _is_of(test: Path, name: str) -> bool:
    return test.stem == f"test_{name}" or test.stem.startswith(f"test_{name}_")


def modules(root: Path) -> list[str]:
    """Return the paths of all modules in ``TREES``."""
    return [str(path.relative_to(root)) for tree in TREES for path in sorted((root / tree).rglob("*.py"))]


def untested(root: Path, tested_by: dict[str, str]) -> list[str]:
    """Return the modules with logic that have no tests, and entries of ``tested_by`` that are wrong, as lines."""
    lines = []
    for module in modules(root):
        own, by = own_tests(root, module), tested_by.get(module)
        if by is None and not own and has_logic(root / module):
            lines.append(f"{module}: no test of its own")
        if by is not None and own:
            lines.append(f"{module}: has a test of its own; TESTED_BY need not name another")
        if by is not None and not (root / "tests" / by).exists():
            lines.append(f"{module}: tested by tests/{by}, which is not there")
    return lines + [
        f"{module}: named in TESTED_BY, and not there" for module in tested_by if not (root / module).exists()
    ]


def strays(root: Path) -> list[str]:
    """Return the files of tests that belong to no module or package, as lines."""
    lines = []
    for test in sorted((root / "tests").rglob("test_*.py")):
        place = test.parent.relative_to(root / "tests")
        if any(place.is_relative_to(own) for own in OF_THEIR_OWN):
            continue
        tree = next((tree for tree, mirror in TREES.items() if place.is_relative_to(mirror)), None)
        folder = None if tree is None else root / tree / place.relative_to(TREES[tree])
        names = [] if folder is None else [folder.name, *map(tested_name, folder.glob("*.py"))]
        # A Lua filter and a build hook have tests as well.
        names += [] if folder is None else [path.stem for path in folder.glob("*.lua")]
        names += ["hatch_build"] if tree == "clients/python/meetra_client" else []
        if not any(_is_of(test, name) for name in names):
            where = "ours" if folder is None else folder.relative_to(root)
            lines.append(f"{test.relative_to(root)}: named after no module of {where}")
    return lines


def main() -> int:
    """Check the repository's tests; return 0 if they mirror its tree, else 1."""
    found = untested(ROOT, TESTED_BY) + strays(ROOT)
    for line in found:
        print(line)
    with_logic = [module for module in modules(ROOT) if has_logic(ROOT / module)]
    own = sum(bool(own_tests(ROOT, module)) for module in with_logic)
    print(f"{len(with_logic)} modules with logic: {own} have tests of their own, {len(TESTED_BY)} are tested by others")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
