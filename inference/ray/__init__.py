"""Inference servers on a Ray cluster, which places and restarts them: ``python -m inference.ray``."""

import os

# Ray tells its makers how it is used, unless it is told not to before its import.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
