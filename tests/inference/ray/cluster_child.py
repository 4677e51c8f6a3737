"""A Ray cluster on this machine: a head that runs nothing, and two nodes with room for one inference server each.

``python -m tests.inference.ray.cluster_child``: prints its address and the process ids of the nodes, a line of JSON.
Each line that it reads adds a node, and prints its process id. At the end of its input everything ends.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from typing import Any

import psutil
from ray.cluster_utils import Cluster

ATTEMPTS = 10
MEMORY_BYTES = 80 * 1024 * 1024
# Each node has an address of its own. (Ray takes 127.0.0.1 for whatever address the machine has.)
ADDRESSES = (f"127.0.0.{number}" for number in count(2))


def add_node(cluster: Any, cores: int) -> int:
    """Start a node; the id of its main process, whose children are all others that matter."""
    for attempt in range(1, ATTEMPTS + 1):
        there = psutil.Process().children()
        try:
            node = cluster.add_node(
                wait=False, num_cpus=cores, object_store_memory=MEMORY_BYTES, node_ip_address=next(ADDRESSES)
            )
        except Exception:
            # Ray gives it up after 30 s, has no setting for that, and leaves its processes there.
            if attempt == ATTEMPTS:
                raise
            for process in psutil.Process().children():
                if process not in there:
                    process.kill()
        else:
            return int(node.all_processes["raylet"][0].process.pid)
    raise AssertionError


def main() -> None:
    """Run."""
    cluster = Cluster()
    try:
        nodes = [add_node(cluster, cores) for cores in (0, 1, 1)][1:]
        print(json.dumps({"address": cluster.address, "nodes": nodes}), flush=True)
        for _ in sys.stdin:
            print(add_node(cluster, 1), flush=True)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
