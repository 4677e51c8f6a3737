"""The address that an inference server of the cluster gets."""

from __future__ import annotations

import socket

import pytest

from inference.ray.replica_actor import free_port, join


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.socket() as taken, socket.socket() as other:
        taken.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        low, high = sorted((port, free))
        found = {free_port("127.0.0.1", range(low, high + 1, high - low)) for _ in range(20)}
        assert found == {free}
        with pytest.raises(OSError, match="MEETRA_RAY_PORTS"):
            free_port("127.0.0.1", range(port, port + 1))
    assert free_port("127.0.0.1", range(0, 1)) > 0


def test_addresses_of_both_families_are_written_as_grpc_reads_them() -> None:
    assert join("10.0.0.1", 50100) == "10.0.0.1:50100"
    assert join("fd00::1", 50100) == "[fd00::1]:50100"
