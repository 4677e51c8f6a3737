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
    metrics: str = ""
    """Of its metrics, which it serves at an address of its own; empty: nowhere."""
    failure: str = ""
    """Why it does not run and is not started again; empty: it runs, or is being started."""


class ReplicaActor:
    """Run an inference server as a child process, and end when it ends: Ray then starts both anew.

    The server is no part of this process, so that its models, threads and signals are as they are without Ray.
    """

    def __init__(self, environment: Mapping[str, str], ports: range, metrics_ports: range | None) -> None:
        """Start the server.

        Args:
            environment: the settings of the server; where it listens is chosen here.
            ports: those that it may listen on; port 0 stands for any.
            metrics_ports: the same for its metrics; None: it serves none.

        Runs in the main thread, as Ray does it: the server is killed when the thread that started it ends.
        """
        # Ray's processes leave the exit codes of their children to the system.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        host = _address_of_this_node()
        # They are listened on once the models are loaded, and kept from others while this process runs.
        port, self._kept = keep_port(host, ports)
        self._address, self._metrics = join(host, port), ""
        if metrics_ports is not None:
            port, self._kept_for_metrics = keep_port(host, metrics_ports)
            self._metrics = join(host, port)
        # Of Ray it needs nothing, its token least of all.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "inference.ray.server_process", str(os.getpid())],
            env={
                **inherited,
                **environment,
                "MEETRA_INFERENCE_LISTEN": self._address,
                "MEETRA_INFERENCE_METRICS_LISTEN": self._metrics,
            },
        )
        self._failure = ""
        threading.Thread(target=self._end_with_server, daemon=True).start()

    def place(self) -> Place:
        """Return where the server is."""
        return Place(self._address, os.getpid(), self._metrics, self._failure)

    def _end_with_server(self) -> None:
        if self._server.wait() != EXIT_UNUSABLE_CONFIGURATION:
            # Not by an exception, and not as Ray would have it: Ray starts anew what died.
            os._exit(1)
        self._failure = "its settings or models are unusable on this node: its log says which"


def keep_port(host: str, ports: range) -> tuple[int, socket.socket]:
    """Return a port that is free, and what keeps it from others. Raises OSError where none is free.

    On Linux, while the socket is open, the system gives the port to nobody, and no other call of this takes it; a
    server that sets ``SO_REUSEADDR``, as all of ours do, listens on it all the same. Elsewhere the socket is closed.

    Args:
        ports: those to choose from, one of them by chance; 0 stands for any.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in random.sample(ports, len(ports)):
        kept = socket.socket(family)
        try:
            kept.bind((host, port))
        except OSError:
            kept.close()
            continue
        # Only now: with it, a port that another one keeps would have been given to this one too.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken: int = kept.getsockname()[1]
        if sys.platform != "linux":
            kept.close()
        return taken, kept
    raise OSError(
        f"no port is free of {ports.start} to {ports.stop - 1}; give more with MEETRA_RAY_PORTS or"
        " MEETRA_RAY_METRICS_PORTS"
    )


def join(host: str, port: int) -> str:
    """Return host and port as one address."""
    return f"[{host}]:{port}" if ip_address(host).version == 6 else f"{host}:{port}"


def _address_of_this_node() -> str:
    import ray.util

    return str(ray.util.get_node_ip_address())
