"""Prometheus is told where the servers' metrics are, in the format of its HTTP service discovery."""

from __future__ import annotations

import json

from inference.ray.metrics_targets import metrics_targets


def test_each_server_is_a_target_of_its_own_with_its_number() -> None:
    assert json.loads(metrics_targets({})) == []
    assert json.loads(metrics_targets({1: "[fd00::1]:50200", 0: "10.0.0.1:50201"})) == [
        {"targets": ["10.0.0.1:50201"], "labels": {"process": "inference", "ray_replica": "0"}},
        {"targets": ["[fd00::1]:50200"], "labels": {"process": "inference", "ray_replica": "1"}},
    ]
