"""Metrics over HTTP: on a port, on a Unix socket, and nothing else."""

from __future__ import annotations

import http.client
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from monitoring import CONTENT_TYPE, MetricsServer, ScrapeFailed, own_metrics, scrape
from monitoring.exposition import MAX_CONNECTIONS

COUNTED = Counter("test_exposition", "Counted by this test.", ["way"])


@contextmanager
def serving(listen: str, tell: Callable[[], bytes] = own_metrics) -> Iterator[MetricsServer]:
    server = MetricsServer(listen, tell)
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("kind", ["port", "ipv6", "unix"])
def test_what_a_process_counts_is_told(kind: str, tmp_path: Path) -> None:
    listen = {"port": "127.0.0.1:0", "ipv6": "[::1]:0", "unix": f"unix:{tmp_path}/api.sock"}[kind]
    COUNTED.labels(kind).inc(2)
    with serving(listen) as server:
        families = {family.name: family for family in text_string_to_metric_families(scrape(server.address))}
    assert {s.labels["way"]: s.value for s in families["test_exposition"].samples}[kind] == 2
    assert "python_info" in families
    assert not [name for name in families if name.endswith("_created")], "nobody asks when a counter began"
    with pytest.raises(ScrapeFailed):
        scrape(server.address)


def test_a_socket_is_nobody_else_s_and_replaces_one_that_a_crash_left(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with serving(f"unix:{path}") as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert scrape(server.address)
    assert not path.exists()


def answer(server: MetricsServer, path: str, method: str = "GET") -> tuple[int, str | None, bytes]:
    host, _, port = server.address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request(method, path)
    got = connection.getresponse()
    return got.status, got.getheader("Content-Type"), got.read()


def test_nothing_but_metrics_is_answered_and_what_breaks_is_told_without_our_insides() -> None:
    def tell() -> bytes:
        raise RuntimeError("of our insides")

    with serving("127.0.0.1:0") as server:
        status, content_type, _ = answer(server, "/metrics?x=1")
        assert (status, content_type) == (200, CONTENT_TYPE)
        assert answer(server, "/")[0] == 404
        assert answer(server, "/metrics", "POST")[0] == 501
    with serving("127.0.0.1:0", tell) as broken:
        assert answer(broken, "/metrics") == (
            500,
            "text/plain; charset=utf-8",
            b"metrics cannot be told; see the log\n",
        )


def test_another_document_is_answered_at_its_own_path() -> None:
    server = MetricsServer("127.0.0.1:0", documents={"/targets": ("application/json", lambda: b"[]")})
    try:
        assert answer(server, "/targets") == (200, "application/json", b"[]")
        assert answer(server, "/metrics")[1] == CONTENT_TYPE
        assert answer(server, "/others")[0] == 404
    finally:
        server.close()


def test_an_address_that_is_taken_is_an_error() -> None:
    with serving("127.0.0.1:0") as server, pytest.raises(OSError, match="in use"):
        MetricsServer(server.address)


def test_clients_that_keep_their_connections_take_a_few_places_and_others_are_turned_away() -> None:
    asked, go_on = threading.Semaphore(0), threading.Event()

    def tell() -> bytes:
        asked.release()
        assert go_on.wait(60)
        return b"test 1\n"

    with serving("127.0.0.1:0", tell) as server:
        found: list[str] = []
        asking = [
            threading.Thread(target=lambda: found.append(scrape(server.address, timeout_s=60)))
            for _ in range(MAX_CONNECTIONS)
        ]
        for thread in asking:
            thread.start()
        for _ in asking:
            assert asked.acquire(timeout=60)
        with pytest.raises(ScrapeFailed):
            scrape(server.address)
        go_on.set()
        for thread in asking:
            thread.join()
        assert found == ["test 1\n"] * MAX_CONNECTIONS
