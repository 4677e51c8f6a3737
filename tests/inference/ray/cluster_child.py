"""A Ray cluster on this machine: a head that runs nothing, and two nodes with room for one inference server each.

``python -m tests.inference.ray.cluster_child``: prints its address and the process ids of the nodes, a line of JSON.
Each line that it reads adds a node, and prints its process id. At the end of its input everything ends.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from typing import Any

from ray.cluster_utils import Cluster

MEMORY_BYTES = 80 * 1024 * 1024
# Each node has an address of its own. (Ray takes 127.0.0.1 for whatever address the machine has.)
ADDRESSES = (f"127.0.0.{number}" for number in count(2))


def add_node(cluster: Any, cores: int) -> int:
    """Start a node; the id of its main process, whose children are all others that matter."""
    node = cluster.add_node(num_cpus=cores, object_store_memory=MEMORY_BYTES, node_ip_address=next(ADDRESSES))
    return int(node.all_processes["raylet"][0].process.pid)


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
