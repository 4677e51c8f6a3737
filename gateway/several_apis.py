"""How Envoy shares calls among several APIs: which it leaves out, and which calls stay together."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass

# Who drains is left out within a second, who hangs within twelve: one that is merely busy answers within five.
# Calls that meet one that is gone are tried at another one.
CHECK_EVERY, CHECK_PATIENCE = "1s", "5s"
MISSED_CHECKS = 2
# gRPC's messages as they are sent: an empty HealthCheckRequest, and a HealthCheckResponse that says SERVING.
ASK_HEALTH, SERVING = "0000000000", "00000000020801"
# Hosts are drawn anew until one is found that was not tried.
MAX_DRAWS = 20
_RETRY = "type.googleapis.com/envoy.extensions.retry"


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """Where an API listens."""

    host: str
    """An address, or a name: then all addresses that it has from time to time share the calls."""
    port: int = 50051
    """Of gRPC."""
    socket_port: int = 50052
    """Of WebSockets."""
    http_port: int = 50053
    """Of plain HTTP."""

    @property
    def grpc(self) -> str:
        """Host and port of gRPC, as gRPC's clients write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_name(self) -> bool:
        """Whether the host has to be looked up."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return True
        return False


def may_be_several(apis: Sequence[ApiAddress]) -> bool:
    """Return whether there may be a choice: several addresses, or a name."""
    return len(apis) > 1 or any(api.is_name for api in apis)


def found_and_balanced(apis: Sequence[ApiAddress], *, by_session: bool = False) -> str:
    """Return the lines of a cluster that say how APIs are found, looked at and chosen.

    Args:
        by_session: whether calls with the same ``x-live-session`` go to one API as long as it serves; others go
            anywhere.
    """
    lines = (
        ["type: STRICT_DNS", "dns_lookup_family: V4_PREFERRED"]
        if any(api.is_name for api in apis)
        else ["type: STATIC"]
    )
    if may_be_several(apis):
        # By a table of hashes: an API that leaves or comes moves few sessions but its own.
        lines.append(f"lb_policy: {'MAGLEV' if by_session else 'LEAST_REQUEST'}")
        # Where none says that it serves, all are as good: without a database they still take live audio.
        lines.append("common_lb_config: { healthy_panic_threshold: { value: 1 } }")
        lines.append(f"health_checks: {json.dumps([_health_check()])}")
    return f"\n{' ' * 4}".join(lines)


def endpoints(apis: Sequence[ApiAddress], ports: Sequence[int]) -> str:
    """Return the list of a cluster's endpoints.

    Args:
        ports: of what the cluster is for, one for each API; its health is asked for at its gRPC port.
    """
    return json.dumps(
        [
            {
                "endpoint": {
                    "address": {"socket_address": {"address": api.host, "port_value": port}},
                    "health_check_config": {"port_value": api.port},
                }
            }
            for api, port in zip(apis, ports, strict=True)
        ]
    )


def retry_policy(apis: Sequence[ApiAddress]) -> str:
    """Return how calls that no API has begun to read are tried at another one; null where there is none."""
    if not may_be_several(apis):
        return "null"
    others = {
        "name": "envoy.retry_host_predicates.previous_hosts",
        "typed_config": {"@type": f"{_RETRY}.host.previous_hosts.v3.PreviousHostsPredicate"},
    }
    policy = {
        "retry_on": "connect-failure,refused-stream,reset-before-request",
        "num_retries": 3,
        "retry_host_predicate": [others],
        "host_selection_retry_max_attempts": MAX_DRAWS,
    }
    return json.dumps(policy)


def _health_check() -> dict[str, object]:
    """Return the question for gRPC health, as HTTP/2: Envoy's own for gRPC refuses clusters that speak HTTP/1.1."""
    headers = {"content-type": "application/grpc", "te": "trailers"}
    return {
        "interval": CHECK_EVERY,
        # Also of those that nobody has called yet.
        "no_traffic_interval": CHECK_EVERY,
        "timeout": CHECK_PATIENCE,
        "unhealthy_threshold": MISSED_CHECKS,
        "healthy_threshold": 1,
        "http_health_check": {
            "host": "api",
            "path": "/grpc.health.v1.Health/Check",
            "method": "POST",
            "codec_client_type": "HTTP2",
            "request_headers_to_add": [{"header": {"key": key, "value": value}} for key, value in headers.items()],
            "send": {"text": ASK_HEALTH},
            "receive": [{"text": SERVING}],
        },
    }
