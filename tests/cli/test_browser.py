"""The page is opened where there is a browser that shows windows, and nowhere else."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.browser import has_screen, open_in_browser

URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
    ],
    ids=["terminal", "x11", "wayland", "mac"],
)
def test_a_window_needs_a_screen(environment: dict[str, str], platform: str, expected: bool) -> None:
    assert has_screen(environment, platform) is expected


def test_without_a_screen_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert open_in_browser(URL) is False


def test_the_browser_of_the_user_gets_the_address(tmp_path: Path) -> None:
    # A browser that writes down what it is to show; `webbrowser` reads BROWSER once in a process.
    browser, shown = tmp_path / "browser", tmp_path / "shown"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(shown))}\n')
    browser.chmod(0o755)
    said = subprocess.run(
        [sys.executable, "-c", f"from cli.browser import open_in_browser; print(open_in_browser({URL!r}))"],
        env={"BROWSER": str(browser), "DISPLAY": ":0", "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert said.stdout.strip() == "True"
    deadline = time.monotonic() + 120
    while not shown.exists() or not shown.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert shown.read_text().strip() == URL
