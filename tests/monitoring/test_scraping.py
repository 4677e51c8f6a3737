"""Asking a process for its metrics: it may be gone, late, or answer something else."""

from __future__ import annotations

import socket

import pytest

from monitoring import MetricsServer, ScrapeFailed, scrape, scraping


def test_a_process_that_is_gone_or_says_nothing_is_an_error_that_says_which() -> None:
    with pytest.raises(ScrapeFailed, match=r"unix:/nowhere\.sock"):
        scrape("unix:/nowhere.sock")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(ScrapeFailed, match="timed out"):
            scrape(f"127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)


def test_what_is_no_metrics_or_too_much_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scraping, "MAX_BYTES", 10)
    told = [b"test 1\n", b"test 1234567\n"]
    server = MetricsServer("127.0.0.1:0", lambda: told.pop(0))
    try:
        with pytest.raises(ScrapeFailed, match="status 404"):
            scrape(server.address, "/elsewhere")
        assert scrape(server.address) == "test 1\n"
        with pytest.raises(ScrapeFailed, match="11 bytes"):
            scrape(server.address)
    finally:
        server.close()
