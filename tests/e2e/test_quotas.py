"""What an organization uses of the whole system: quotas that bind, and disk that is given back."""

from __future__ import annotations

import time

from tests.e2e.conftest import Rest, System
from tests.recordings import excerpt

PATIENCE_S = 120


def left(system: System, file_hash: str) -> set[str]:
    """The files of a recording."""
    (folder,) = (system.data / "audio").glob(f"*/??/{file_hash}")
    return {path.name for path in folder.iterdir()}


def wait_for_only_the_recording(system: System, file_hash: str) -> None:
    """Decoded audio is deleted at once after the meeting's last state is stored."""
    until = time.monotonic() + PATIENCE_S
    while left(system, file_hash) != {"original"}:
        assert time.monotonic() < until, left(system, file_hash)
        time.sleep(0.1)


def test_of_an_analysed_recording_the_recording_alone_is_kept(system: System, rest: Rest) -> None:
    wait_for_only_the_recording(system, rest.analysed(excerpt(3, mark="kept alone"), channels="separate"))
    failed = rest.upload(b"no recording at all").json()["file_hash"]
    assert rest.settled(failed)["status"] == "failed"
    wait_for_only_the_recording(system, failed)


def test_the_operator_sees_use_and_a_quota_binds_at_once(system: System, rest: Rest) -> None:
    rest.upload(excerpt(1, mark="before the quota"))
    shown = system.meetra("organizations")
    assert shown.returncode == 0, shown.stderr
    assert "Demo" in shown.stdout
    try:
        assert system.meetra("organizations", "Demo", "--stored-bytes", "1K").returncode == 0
        refused = rest.upload(excerpt(1, mark="after the quota"))
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "3600"
        assert refused.json()["message"].startswith("This organization may store 1024 bytes and stores ")
    finally:
        assert system.meetra("organizations", "Demo", "--stored-bytes", "default").returncode == 0
    assert rest.upload(excerpt(1, mark="after the quota")).json()["status"] == "queued"
