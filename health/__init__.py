"""gRPC health of every process: who asks learns whether it is alive, and whether it can serve."""

from health.states import ALIVE, HealthStates, follow, serve_health

__all__ = ["ALIVE", "HealthStates", "follow", "serve_health"]
