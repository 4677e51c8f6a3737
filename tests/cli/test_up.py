"""What ``meetra up`` settles before it starts anything: the port, and that the data folder is its own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cli.free_port import free_port
from cli.front import DEFAULT_PORT
from cli.home import Home
from cli.up import CannotStart, gateway_port, lock_data_folder


def test_a_wanted_port_is_taken_or_refused_with_the_option_that_names_another() -> None:
    wanted = free_port()
    assert gateway_port("127.0.0.1", wanted) == wanted
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {port} is in use .*--port"):
            gateway_port("127.0.0.1", port)


def test_without_a_wish_another_port_does_where_the_usual_one_is_taken() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", DEFAULT_PORT))
        except OSError:
            # Somebody else has it: as good.
            assert gateway_port("127.0.0.1", None) != DEFAULT_PORT
            return
        assert gateway_port("127.0.0.1", 0) not in (0, DEFAULT_PORT)
        taken.listen()
        assert gateway_port("127.0.0.1", None) != DEFAULT_PORT


def test_a_data_folder_has_one_system_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    with (
        lock_data_folder(home),
        pytest.raises(CannotStart, match=f"already running on {tmp_path}"),
        lock_data_folder(home),
    ):
        pytest.fail("two systems own one folder")
    with lock_data_folder(home):
        pass
