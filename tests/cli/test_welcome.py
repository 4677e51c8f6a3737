"""What is said once the system is ready: a password on a terminal only."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from cli.front import Front
from cli.home import Home
from cli.welcome import announce, print_next_steps
from meetra_client import Account

HOME = Home(Path("/data"))
FRONT = Front("127.0.0.1", 8080, None, 9999)


def announced(new_password: str | None, *, terminal: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=200, no_color=True)
    metrics = "http://127.0.0.1:9464/metrics"
    announce(console, FRONT, HOME, gateway=FRONT.url, metrics=metrics, seconds=1.0, new_password=new_password)
    return written.getvalue()


def test_a_new_password_is_shown_once_on_a_terminal() -> None:
    assert "password quincunx  (shown only once)" in announced("quincunx", terminal=True)
    assert "password" not in announced(None, terminal=True)
    assert "metrics for Prometheus: http://127.0.0.1:9464/metrics" in announced(None, terminal=True)


def test_a_log_is_told_where_the_password_lies() -> None:
    said = announced("quincunx", terminal=False)
    assert "password in /data/secrets/demo-password" in said
    assert "quincunx" not in said


async def test_no_token_is_made_for_a_log() -> None:
    account = Account("http://127.0.0.1:9", email="a@example.org", password="quincunx")
    written = io.StringIO()
    # Nothing listens there: a login would fail.
    await print_next_steps(Console(file=written, force_terminal=False), account)
    assert "Token" not in written.getvalue()
    assert "meetra env" in written.getvalue()
