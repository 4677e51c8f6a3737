"""Inference servers on a Ray cluster: ``python -m inference.ray [stop]``.

Starts as many as the settings ask for (``MEETRA_RAY_...``), each with the settings of ``python -m inference``
(``MEETRA_INFERENCE_...``) of this process, and serves the directory that tells where they are. When this process ends
they go on, and its next start takes them over; ``stop`` ends them.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import logging
import os
import signal
import sys

import uvloop
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from meetra.inference.v2 import directory_pb2_grpc
from pydantic import ValidationError

from inference.api import TLS_SETTINGS, listen
from inference.config import InferenceSettings
from inference.ray.channel import TLS_SETTINGS as CLIENT_TLS_SETTINGS
from inference.ray.channel import ReplicaTls
from inference.ray.config import RaySettings, parse_ports
from inference.ray.directory import DirectoryServicer
from inference.ray.metrics_targets import CONTENT_TYPE, TARGETS_PATH, metrics_targets
from inference.ray.scaling import Scaling
from monitoring import MetricsServer
from privacy import MutualTls, TlsUnusable, close_new_files, log_quietly

# Exit code that tells a supervisor not to restart without changes.
EXIT_UNUSABLE_CONFIGURATION = 2
STOP_GRACE_S = 2.0
log = logging.getLogger("inference.ray")


def ray_is_installed() -> bool:
    """Return whether the optional package is here."""
    return importlib.util.find_spec("ray") is not None


def settings_of_servers(environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that each inference server is given: their settings, but for where each listens."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("MEETRA_INFERENCE_")
        and name not in ("MEETRA_INFERENCE_LISTEN", "MEETRA_INFERENCE_METRICS_LISTEN")
    }


async def serve(settings: RaySettings, inference: InferenceSettings) -> None:
    """Keep the inference servers, and tell where they are, until SIGTERM or SIGINT.

    Raises ClusterUnavailable; TlsUnusable; RuntimeError where the address is taken.
    """
    # These load Ray.
    from inference.ray.controller import Controller
    from inference.ray.ray_cluster import RayCluster
    from inference.ray.replica_watch import ReplicaWatch

    stop = asyncio.Event()
    tls = MutualTls.read(TLS_SETTINGS, inference.tls_certificate, inference.tls_key, inference.tls_client_ca)
    files = MutualTls.read(CLIENT_TLS_SETTINGS, settings.client_certificate, settings.client_key, settings.ca)
    if (tls is None) != (files is None):
        raise TlsUnusable(f"{', '.join(TLS_SETTINGS)} and {', '.join(CLIENT_TLS_SETTINGS)}: set all, or none")
    replica_tls = None if files is None else ReplicaTls(files, settings.tls_name)
    cluster = RayCluster(
        settings_of_servers(dict(os.environ)),
        settings.cpus,
        settings.gpus,
        parse_ports(settings.ports),
        parse_ports(settings.metrics_ports) if settings.metrics_listen else None,
    )
    # Ray has handlers of its own by now.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def watch(number: int) -> ReplicaWatch:
        return ReplicaWatch(cluster, number, stall_s=settings.stall_s, start_s=settings.start_s, tls=replica_tls)

    controller = Controller(cluster, Scaling(settings), watch)
    server = aio.server(options=[("grpc.so_reuseport", 0)])
    directory_pb2_grpc.add_DirectoryServiceServicer_to_server(DirectoryServicer(controller.addresses), server)
    states = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    metrics: MetricsServer | None = None
    try:
        listen(server, settings.listen, tls)
        if settings.metrics_listen:
            documents = {TARGETS_PATH: (CONTENT_TYPE, lambda: metrics_targets(controller.metrics()))}
            metrics = MetricsServer(settings.metrics_listen, documents=documents)
        await server.start()
        await states.set("", health_pb2.HealthCheckResponse.SERVING)
        log.info("the directory of inference servers listens on %s", settings.listen)
        await controller.run(stop)
        await server.stop(STOP_GRACE_S)
    finally:
        if metrics is not None:
            metrics.close()
        cluster.close()


async def stop_all() -> None:
    """End all inference servers of the cluster. Raises ClusterUnavailable."""
    from inference.ray.ray_cluster import RayCluster

    cluster = RayCluster({}, 0, 0, range(0), None)
    for number in await cluster.running():
        await (await cluster.replica(number)).kill(restart=False)
        log.info("replica %d is ended", number)
    cluster.close()


def main(arguments: list[str] | None = None) -> int:
    """Run; return 0, 1 when the cluster or the address is unavailable, or UNUSABLE_CONFIGURATION."""
    parser = argparse.ArgumentParser(prog="python -m inference.ray", description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs="?", choices=["stop"], help="end all inference servers of the cluster")
    command = parser.parse_args(arguments).command
    if not ray_is_installed():
        print("Ray is not installed: pip install --no-deps -r requirements/ray.txt", file=sys.stderr)
        return EXIT_UNUSABLE_CONFIGURATION
    try:
        settings, inference = RaySettings(), InferenceSettings()
    except ValidationError as error:
        prefix = "MEETRA_RAY_" if error.title == RaySettings.__name__ else "MEETRA_INFERENCE_"
        for problem in error.errors():
            name = f"{prefix}{str(problem['loc'][0]).upper()}: " if problem["loc"] else ""
            print(f"settings: {name}{problem['msg']}", file=sys.stderr)
        return EXIT_UNUSABLE_CONFIGURATION
    close_new_files()
    log_quietly(inference.log_level, process="inference.ray", as_json=inference.log_format == "json")
    from inference.ray.ray_cluster import ClusterUnavailable

    try:
        uvloop.run(stop_all() if command == "stop" else serve(settings, inference))
    except TlsUnusable as error:
        log.error("%s", error)
        return EXIT_UNUSABLE_CONFIGURATION
    except (ClusterUnavailable, RuntimeError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
