"""The addresses that an inference server of the cluster gets."""

from __future__ import annotations

import socket
import sys
from contextlib import closing

import pytest
from grpc import aio

from inference.api import listen
from inference.ray.replica_actor import join, keep_port
from monitoring import MetricsServer, scrape

HOST = "127.0.0.1"


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.socket() as taken, socket.socket() as other:
        taken.bind((HOST, 0))
        other.bind((HOST, 0))
        port, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        low, high = sorted((port, free))
        for _ in range(20):
            found, kept = keep_port(HOST, range(low, high + 1, high - low))
            kept.close()
            assert found == free
        with pytest.raises(OSError, match="MEETRA_RAY_METRICS_PORTS"):
            keep_port(HOST, range(port, port + 1))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port is not kept")
async def test_a_port_is_kept_for_the_server_while_that_loads_its_models() -> None:
    (port, kept), (of_metrics, also_kept) = (keep_port(HOST, range(1)) for _ in range(2))
    with closing(kept), closing(also_kept):
        with pytest.raises(OSError, match="no port is free"):
            keep_port(HOST, range(port, port + 1))
        server = aio.server(options=[("grpc.so_reuseport", 0)])
        listen(server, join(HOST, port), None)
        await server.start()
        metrics = MetricsServer(join(HOST, of_metrics))
        socket.create_connection((HOST, port), timeout=60).close()
        assert scrape(metrics.address, timeout_s=60)
        metrics.close()
        await server.stop(None)


def test_addresses_of_both_families_are_written_as_grpc_reads_them() -> None:
    assert join("10.0.0.1", 50100) == "10.0.0.1:50100"
    assert join("fd00::1", 50100) == "[fd00::1]:50100"
