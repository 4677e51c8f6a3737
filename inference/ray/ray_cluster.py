"""The Ray cluster: the only module that knows Ray, but for the actor's own address."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError

from inference.ray.replica_actor import Place, ReplicaActor

NAMESPACE = "meetra-inference"
PREFIX = "replica-"


class ReplicaLost(Exception):
    """The actor ended, or is not reached; Ray starts it anew, if it was not ended for good."""


class ClusterUnavailable(Exception):
    """There is no Ray cluster, or it does not do what is asked of it; the message says why."""


class Replica:
    """One inference server on the cluster: an actor with a name, that outlives who started it."""

    def __init__(self, number: int, actor: Any) -> None:
        """``number``: its name has it, so that there is one of it at most."""
        self.number = number
        self._actor = actor

    async def place(self) -> Place:
        """Return where it is; wait while Ray finds a node for it and starts it. Raises ReplicaLost."""
        try:
            place: Place = await self._actor.place.remote()
        except RayError as error:
            raise ReplicaLost(type(error).__name__) from error
        return place

    async def kill(self, *, restart: bool) -> None:
        """Kill it and its server; ``restart``: Ray starts it anew, where there is room. Raises ReplicaLost."""
        try:
            await asyncio.to_thread(ray.kill, self._actor, no_restart=not restart)
        except (RayError, ValueError) as error:
            raise ReplicaLost(type(error).__name__) from error


class RayCluster:
    """The cluster that ``RAY_ADDRESS`` names, else the one that runs on this machine, else one that ends with us."""

    def __init__(
        self, environment: Mapping[str, str], cpus: float, gpus: float, ports: range, metrics_ports: range | None
    ) -> None:
        """Connect. Raises ClusterUnavailable.

        Args:
            environment: settings of each inference server.
            cpus: cores that each reserves.
            gpus: GPUs that each reserves.
            ports: that each may listen on; port 0 stands for any.
            metrics_ports: the same for its metrics; None: it serves none.
        """
        self._environment, self._ports, self._metrics_ports = dict(environment), ports, metrics_ports
        try:
            ray.init(namespace=NAMESPACE, log_to_driver=False, configure_logging=False)
        except (RayError, ConnectionError, RuntimeError, ValueError) as error:
            raise ClusterUnavailable(f"there is no Ray cluster at RAY_ADDRESS: {error}") from error
        self._class: Any = ray.remote(ReplicaActor)
        self._options = {
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "get_if_exists": True,
            "max_restarts": -1,
            "num_cpus": cpus,
            "num_gpus": gpus,
            # A node that is lost takes as few of them with it as can be.
            "scheduling_strategy": "SPREAD",
        }

    async def running(self) -> list[int]:
        """Return the numbers of the replicas that there are. Raises ClusterUnavailable."""
        try:
            named = await asyncio.to_thread(ray.util.list_named_actors, all_namespaces=True)
        except RayError as error:
            raise ClusterUnavailable(f"the Ray cluster does not answer ({type(error).__name__})") from error
        names = [entry["name"] for entry in named if entry["namespace"] == NAMESPACE]
        numbers = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
        return sorted(int(number) for number in numbers if number.isdecimal())

    async def replica(self, number: int) -> Replica:
        """Return a replica, which is started if there is none of this number. Raises ClusterUnavailable."""
        try:
            actor = self._class.options(name=f"{PREFIX}{number}", **self._options)
            arguments = self._environment, self._ports, self._metrics_ports
            return Replica(number, await asyncio.to_thread(lambda: actor.remote(*arguments)))
        except (RayError, ValueError) as error:
            raise ClusterUnavailable(f"the Ray cluster does not answer ({type(error).__name__})") from error

    def close(self) -> None:
        """Disconnect; the replicas go on."""
        ray.shutdown()
