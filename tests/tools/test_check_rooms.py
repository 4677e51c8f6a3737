"""What the check of rooms finds, on small source trees; `make lint` runs it on ours."""

from __future__ import annotations

from pathlib import Path

from tools.check_rooms import SourceTree, find_cycle


def test_what_is_exported_may_be_imported_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "server" / "kitchen").mkdir(parents=True)
    (tmp_path / "server" / "hall").mkdir()
    (tmp_path / "server" / "kitchen" / "__init__.py").write_text(
        "from server.kitchen.oven import bread\n__all__ = ['bread']\n"
    )
    (tmp_path / "server" / "kitchen" / "oven.py").write_text("bread = salt = 1\n")
    (tmp_path / "server" / "hall" / "__init__.py").write_text("")
    hall = tmp_path / "server" / "hall" / "table.py"
    hall.write_text("from server.kitchen import bread\n")
    assert SourceTree(tmp_path, ("server",)).private_imports() == []
    hall.write_text("from server.kitchen import salt\n\ndef eat():\n    from server.kitchen.oven import bread\n")
    assert SourceTree(tmp_path, ("server",)).private_imports() == [
        "server.hall.table:1: server.kitchen salt",
        "server.hall.table:4: server.kitchen.oven bread",
    ]


def test_circles_of_rooms_and_of_modules_are_found(tmp_path: Path) -> None:
    (tmp_path / "server" / "hall").mkdir(parents=True)
    (tmp_path / "server" / "hall" / "__init__.py").write_text("")
    first, second, disk = (tmp_path / "server" / name for name in ("hall/first.py", "hall/second.py", "disk.py"))
    first.write_text("")
    second.write_text("from server.hall.first import a\n")
    disk.write_text("")
    found = SourceTree(tmp_path, ("server",))
    assert (find_cycle(found.dependencies()), find_cycle(found.module_dependencies())) == ([], [])
    first.write_text("def late():\n    from server.hall.second import b\n    from server.disk import c\n")
    found = SourceTree(tmp_path, ("server",))
    assert find_cycle(found.dependencies()) == []
    assert set(find_cycle(found.module_dependencies())) == {"server.hall.first", "server.hall.second"}
    disk.write_text("from server.hall import d\n")
    assert set(find_cycle(SourceTree(tmp_path, ("server",)).dependencies())) == {"server.disk", "server.hall"}
