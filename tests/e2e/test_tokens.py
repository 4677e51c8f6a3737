"""Keys of tokens are replaced and revoked while the system runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from server.auth import add_key, read_keys
from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System, start_system

LISTED = "/single-feature-api/meetings"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own: its tokens are voided."""
    running = start_system(tmp_path_factory.mktemp("tokens") / "data")
    yield running
    assert running.stop() == 0


def keys_folder(system: System) -> Path:
    return system.data / "secrets" / "token-keys"


def key_of(rest: Rest) -> str:
    return str(jwt.get_unverified_header(rest.token)["kid"])


def shown(system: System) -> list[str]:
    return [key["kid"] for key in httpx.get(f"{system.gateway}/.well-known/jwks.json", timeout=60).json()["keys"]]


def test_a_new_key_takes_over_and_nobody_is_logged_out(system: System) -> None:
    before = system.login()
    assert shown(system) == [key_of(before)]
    said = system.meetra("tokens", "rotate")
    assert said.returncode == 0, said.stderr
    # It would sign in a minute; one that was made a minute ago signs at once.
    soon = add_key(keys_folder(system), datetime.now(UTC) - timedelta(seconds=61))
    deadline = time.monotonic() + READY_TIMEOUT_S
    while key_of(after := system.login()) != soon.key_id:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert shown(system) == [key.key_id for key in read_keys(keys_folder(system)).keys]
    while after.http.get(LISTED).status_code != 200:
        assert time.monotonic() < deadline
    assert before.http.get(LISTED).status_code == 200
    listed = system.meetra("tokens", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed if line.endswith("  signs")] == [soon.key_id]
    assert len(listed) == 3


def test_a_revoked_key_voids_its_tokens_and_no_others(system: System) -> None:
    voided = system.login()
    assert system.meetra("tokens", "revoke", key_of(voided)).returncode == 0
    deadline = time.monotonic() + READY_TIMEOUT_S
    while (answer := voided.http.get(LISTED)).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert answer.json() == {"message": "Unauthorized"}
    while (again := system.login()).http.get(LISTED).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert key_of(again) != key_of(voided)
