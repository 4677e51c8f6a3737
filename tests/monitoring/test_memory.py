"""How much memory may still be taken: the least of the machine's and of what each control group has left."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring import MemoryReserve, available_memory

MIB = 1024**2
V2 = ("memory.max", "memory.current", "inactive_file")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def machine(folder: Path, available_mib: int | None, groups: str) -> tuple[Path, Path]:
    """A /proc with so much available and these groups; a folder of control groups."""
    proc, cgroups = folder / "proc", folder / "cgroup"
    (proc / "self").mkdir(parents=True)
    cgroups.mkdir()
    (proc / "self/cgroup").write_text(groups)
    if available_mib is not None:
        (proc / "meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable:  {available_mib * 1024} kB\n")
    return proc, cgroups


def limit(group: Path, names: tuple[str, str, str], most: str, used_mib: int, files_mib: int) -> None:
    """A group with a limit, what it uses of it, and what of that are copies of files."""
    group.mkdir(parents=True, exist_ok=True)
    for name, content in zip(names[:2], (most, str(used_mib * MIB)), strict=True):
        (group / name).write_text(content + "\n")
    (group / "memory.stat").write_text(f"anon 5\n{names[2]} {files_mib * MIB}\n")


def test_what_the_machine_has_available_counts(tmp_path: Path) -> None:
    assert available_memory(*machine(tmp_path, 3000, "0::/\n")) == 3000 * MIB


@pytest.mark.parametrize(
    ("names", "line", "folder"), [(V2, "0::/a/b", "a/b"), (V1, "4:cpu,memory:/a/b", "memory/a/b")], ids=["v2", "v1"]
)
def test_a_group_with_less_counts_and_so_does_one_above_it(
    tmp_path: Path, names: tuple[str, str, str], line: str, folder: str
) -> None:
    places = machine(tmp_path, 3000, f"1:name=systemd:/x\n{line}\n")
    own = places[1] / folder
    limit(own, names, "max" if names is V2 else str(2**63 - 4096), 500, 0)
    assert available_memory(*places) == 3000 * MIB
    # Copies of files are given away when memory is wanted.
    limit(own.parent, names, str(800 * MIB), 500, 100)
    assert available_memory(*places) == 400 * MIB
    limit(own, names, str(100 * MIB), 200, 0)
    assert available_memory(*places) == 0


def test_a_container_that_sees_a_path_from_outside_has_its_limit_at_the_root(tmp_path: Path) -> None:
    for line in ("0::/docker/0123", "0::/../../elsewhere"):
        places = machine(tmp_path / line[-4:], 3000, line + "\n")
        limit(places[1], V2, str(700 * MIB), 500, 0)
        assert available_memory(*places) == 200 * MIB


def test_where_nothing_is_told_nothing_is_known_and_nothing_short(tmp_path: Path) -> None:
    nowhere = tmp_path / "proc", tmp_path / "cgroup"
    assert available_memory(*nowhere) is None
    assert not MemoryReserve(2**60, *nowhere).is_short()
    assert available_memory(*machine(tmp_path, None, "nonsense\n0::/a:b\n")) is None


def test_memory_is_short_below_the_reserve(tmp_path: Path) -> None:
    places = machine(tmp_path, 256, "")
    assert [MemoryReserve(mib * MIB, *places).is_short() for mib in (0, 256, 257)] == [False, False, True]
