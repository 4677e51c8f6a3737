"""The actor: one inference server, on the node where Ray puts it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

# The exit code of ``python -m inference`` for what a restart does not mend.
EXIT_UNUSABLE_CONFIGURATION = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where an inference server is."""

    address: str
    """Of its gRPC service: IP and port."""
    process: int
    """Process id of the actor, which ends with its server."""
    failure: str = ""
    """Why it does not run and is not started again; empty: it runs, or is being started."""


class ReplicaActor:
    """Run an inference server as a child process, and end when it ends: Ray then starts both anew.

    The server is no part of this process, so that its models, threads and signals are as they are without Ray.
    """

    def __init__(self, environment: Mapping[str, str], ports: range) -> None:
        """Start the server.

        Args:
            environment: the settings of the server; where it listens is chosen here.
            ports: those that it may listen on; port 0 stands for any.

        Runs in the main thread, as Ray does it: the server is killed when the thread that started it ends.
        """
        # Ray's processes leave the exit codes of their children to the system.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        host = _address_of_this_node()
        self._address = join(host, free_port(host, ports))
        # Of Ray it needs nothing, its token least of all.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "inference.ray.server_process", str(os.getpid())],
            env={**inherited, **environment, "MEETRA_INFERENCE_LISTEN": self._address},
        )
        self._failure = ""
        threading.Thread(target=self._end_with_server, daemon=True).start()

    def place(self) -> Place:
        """Return where the server is."""
        return Place(self._address, os.getpid(), self._failure)

    def _end_with_server(self) -> None:
        if self._server.wait() != EXIT_UNUSABLE_CONFIGURATION:
            # Not by an exception, and not as Ray would have it: Ray starts anew what died.
            os._exit(1)
        self._failure = "its settings or models are unusable on this node: its log says which"


def free_port(host: str, ports: range) -> int:
    """Return a port of those given that nobody listens on. Raises OSError where there is none.

    Args:
        ports: those to choose from, one of them by chance; 0 stands for any.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # A server binds its port once its models are loaded: others of this node that start meanwhile take another one.
    for port in random.sample(ports, len(ports)):
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no port is free of {ports.start} to {ports.stop - 1}; give more with MEETRA_RAY_PORTS")


def join(host: str, port: int) -> str:
    """Return host and port as one address."""
    return f"[{host}]:{port}" if ip_address(host).version == 6 else f"{host}:{port}"


def _address_of_this_node() -> str:
    import ray.util

    return str(ray.util.get_node_ip_address())
