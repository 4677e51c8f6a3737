"""Ask a process for its health: ``python -m health HOST:PORT``, for checks inside of containers."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S = 5.0


def gateway_of(ready_file: Path) -> str:
    """Return host and port of the gateway that ``meetra up`` describes in a file. Raises SystemExit."""
    try:
        described = json.loads(ready_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"{ready_file} is not there: the system is still starting, or stops") from None
    return urlsplit(str(described["gateway"])).netloc


def state(address: str, service: str) -> str:
    """Return what the process says of a service, or why it says nothing: SERVING is the only good word.

    Args:
        address: host:port, plain text.
        service: "" can serve, ``alive`` answers at all.
    """
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            return f"no answer: {error.code().name}"
    name: str = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    return name


def main() -> int:
    """Print the state; return 0 for SERVING, else 1."""
    parser = argparse.ArgumentParser(prog="python -m health", description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("address", nargs="?", metavar="HOST:PORT")
    asked.add_argument("--system", type=Path, metavar="FILE", help="run/ready.json in the data folder of `meetra up`")
    parser.add_argument("--service", default="", help="alive: only whether the process answers")
    arguments = parser.parse_args()
    found = state(arguments.address or gateway_of(arguments.system), arguments.service)
    print(found)
    return 0 if found == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
