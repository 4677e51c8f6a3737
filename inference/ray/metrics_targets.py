"""Where the inference servers' metrics are, for Prometheus."""

from __future__ import annotations

import json
from collections.abc import Mapping

CONTENT_TYPE = "application/json"
TARGETS_PATH = "/targets"


def metrics_targets(addresses: Mapping[int, str]) -> bytes:
    """Return a document of Prometheus's HTTP service discovery.

    Args:
        addresses: of each server's metrics, ``host:port``, by its number, which stays when its address changes.
    """
    # The first label is the one of `meetra up`, by which dashboard and rules know what a series is of.
    groups = [
        {"targets": [address], "labels": {"process": "inference", "ray_replica": str(number)}}
        for number, address in sorted(addresses.items())
    ]
    return json.dumps(groups).encode()
