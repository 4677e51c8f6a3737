"""A port for a program that is about to listen is nobody else's."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli import free_port as module
from cli.free_port import MAX_KEPT, free_port
from tests.recordings import ROOT


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", free_port()))
        listening.listen()


@pytest.mark.parametrize(
    "outgoing", ["1024\t65535\n", "12000\t60999\n", "", None], ids=["all", "some", "empty", "unknown"]
)
def test_it_is_none_of_those_given_to_outgoing_connections_where_there_is_room(
    outgoing: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "ip_local_port_range"
    if outgoing is not None:
        told.write_text(outgoing)
    monkeypatch.setattr(module, "OUTGOING_PORTS", told)
    port = free_port()
    assert 1024 <= port <= 65_535
    if outgoing != "1024\t65535\n":
        assert module.LOWEST_FREE_PORT <= port < (12_000 if outgoing else 32_768)


@pytest.mark.skipif(sys.platform != "linux", reason="ports are kept on Linux alone")
def test_it_is_kept_from_other_processes_before_anybody_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Little to choose from.
    told = tmp_path / "ip_local_port_range"
    told.write_text(f"{module.LOWEST_FREE_PORT + 40}\t60999\n")
    monkeypatch.setattr(module, "OUTGOING_PORTS", told)
    ours = {free_port() for _ in range(15)}
    assert len(ours) == 15
    script = (
        "from pathlib import Path; from cli import free_port as m; "
        f"m.OUTGOING_PORTS = Path({str(told)!r}); print(*(m.free_port() for _ in range(15)))"
    )
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    theirs = {int(port) for port in said.split()}
    assert len(theirs) == 15
    assert not ours & theirs


def test_few_descriptors_are_held() -> None:
    for _ in range(2 * MAX_KEPT):
        free_port()
    assert len(module._kept) <= MAX_KEPT
