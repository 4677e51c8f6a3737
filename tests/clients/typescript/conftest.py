"""The packed client, and a running system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.typescript.package import PROGRAMS, Workbench
from tests.e2e.conftest import System, start_system


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test of this folder."""
    item.add_marker("system" if "system" in getattr(item, "fixturenames", ()) else "children")


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Where programs use the client; those of this folder are compiled."""
    bench = Workbench(tmp_path_factory.mktemp("typescript"))
    programs = sorted(PROGRAMS.glob("*.ts"))
    for program in programs:
        bench.add(program.name, program.read_text(encoding="utf-8"))
    bench.compile(*(program.name for program in programs))
    return bench


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system."""
    running = start_system(tmp_path_factory.mktemp("system") / "data")
    yield running
    assert running.stop() == 0


@pytest.fixture
def account(system: System) -> dict[str, str]:
    """What a program needs to log in, as environment variables."""
    return {"MEETRA_URL": system.gateway, "MEETRA_EMAIL": system.email, "MEETRA_PASSWORD": system.password}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A place for a recording."""
    return tmp_path / "recording"
