"""The gateway's address, and the warning that passwords travel in plain text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.front import Front
from gateway import TlsFiles
from tests.recordings import ROOT

TLS = TlsFiles(Path("certificate.pem"), Path("key.pem"))


@pytest.mark.parametrize(
    ("host", "tls", "url", "local", "warned"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:8080", "127.0.0.1:8080", False),
        ("0.0.0.0", None, "http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("192.0.2.1", None, "http://192.0.2.1:8080", "127.0.0.1:99", True),
        ("::1", None, "http://[::1]:8080", "127.0.0.1:99", False),
        ("0.0.0.0", TLS, "https://0.0.0.0:8080", "127.0.0.1:99", False),
        ("127.0.0.1", TLS, "https://127.0.0.1:8080", "127.0.0.1:99", False),
    ],
)
def test_addresses_and_warning(host: str, tls: TlsFiles | None, url: str, local: str, warned: bool) -> None:
    front = Front(host, 8080, tls, spare_port=99)
    assert (front.url, front.local_address) == (url, local)
    assert (front.warning is not None) == warned
    if front.warning:
        assert "MEETRA_TLS_CERTIFICATE and MEETRA_TLS_KEY" in front.warning


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("MEETRA_TLS_KEY", "key.pem", "meetra: MEETRA_TLS_KEY is set without MEETRA_TLS_CERTIFICATE"),
        ("MEETRA_GATEWAY_STREAMS", "0", "meetra: settings: MEETRA_GATEWAY_STREAMS: Input should be greater than"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(tmp_path: Path, setting: str, value: str, told: str) -> None:
    command = [sys.executable, "-m", "cli", "up", "--data", str(tmp_path), "--port", "0"]
    said = subprocess.run(
        command, cwd=ROOT, env={**os.environ, setting: value}, capture_output=True, text=True, check=False, timeout=300
    )
    assert (said.returncode, said.stderr.startswith(told)) == (1, True), said.stderr
    assert not (tmp_path / "postgres").exists()
