"""A large upload through the gateway: memory of server and Envoy, and the rate beside sha256sum's.

python -m benchmarks.upload [--size-mb 1024] [--json FILE]
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.peak_memory import PeakMemory
from benchmarks.running_system import RunningSystem, circumstances, running_system

MIB = 1024 * 1024
BOUNDARY = "meetra-benchmark-boundary"
WAV_HEADER_BYTES = 44


def write_recording(path: Path, size_bytes: int) -> None:
    """A WAV of that size: faint noise, 48 kHz, 8 channels, 32 bit, so that its length stays within limits."""
    rate, channels, width = 48_000, 8, 4
    body = size_bytes - WAV_HEADER_BYTES
    header = b"RIFF" + (size_bytes - 8).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += (1).to_bytes(2, "little") + channels.to_bytes(2, "little") + rate.to_bytes(4, "little")
    header += (rate * channels * width).to_bytes(4, "little") + (channels * width).to_bytes(2, "little")
    header += (8 * width).to_bytes(2, "little") + b"data" + body.to_bytes(4, "little")
    block = bytes(range(256)) * (MIB // 256)
    with path.open("wb") as file:
        file.write(header)
        while body > 0:
            body -= file.write(block[: min(len(block), body)])


def call(system: RunningSystem, method: str, path: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(system.gateway).netloc)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {answer}")
    return answer


def upload(system: RunningSystem, path: Path, token: str) -> float:
    """Streams the file as multipart/form-data; seconds until the answer."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()

    def multipart_body() -> Any:
        yield head
        with path.open("rb") as file:
            while data := file.read(MIB):
                yield data
        yield tail

    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
    }
    began = time.perf_counter()
    call(system, "POST", "/single-feature-api/upload", multipart_body(), headers)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upload", description=__doc__)
    parser.add_argument("--size-mb", type=int, default=1024, help="size of the recording, MiB")
    parser.add_argument("--json", type=Path, help="write the results to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_system() as system:
        recording = Path(folder, "large.wav")
        write_recording(recording, options.size_mb * MIB)
        began = time.perf_counter()
        subprocess.run(["sha256sum", str(recording)], check=True, capture_output=True)
        sha256sum_s = time.perf_counter() - began
        login = json.dumps({"email": system.email, "password": system.password})
        token = call(system, "POST", "/api-login", login, {"Content-Type": "application/json"})["token"]
        memory = PeakMemory({name: system.pid(name) for name in ("api", "envoy")})
        upload_s = upload(system, recording, token)
        memory.stop()
    figures = {
        "size_mb": options.size_mb,
        "upload_mb_per_s": round(options.size_mb / upload_s, 1),
        "sha256sum_mb_per_s": round(options.size_mb / sha256sum_s, 1),
        "api_peak_rss_mb": round(memory.peak["api"] / MIB, 1),
        "envoy_peak_rss_mb": round(memory.peak["envoy"] / MIB, 1),
    }
    for name, value in figures.items():
        print(f"{name:<22}{value:>10}")
    if options.json:
        options.json.write_text(json.dumps({**figures, **circumstances()}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
