"""A listener that says that the gateway is ready, for probes."""

from __future__ import annotations

import json

_EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
_PATIENCE = "5s"


def probe_listener(host: str, port: int | None) -> str:
    """Return the list item of a listener that answers ``GET /ready`` with 200; empty without a port.

    Envoy opens all of its ports at once, when all of its configuration is there.
    """
    if port is None:
        return ""
    ready = {"match": {"path": "/ready"}, "direct_response": {"status": 200}}
    manager = {
        "@type": f"{_EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "probe",
        "request_headers_timeout": _PATIENCE,
        "stream_idle_timeout": _PATIENCE,
        "route_config": {"virtual_hosts": [{"name": "probe", "domains": ["*"], "routes": [ready]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_EXTENSIONS}.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "probe",
        "address": {"socket_address": {"address": host, "port_value": port}},
        # Clients that use up all connections do not make a gateway unready.
        "ignore_global_conn_limit": True,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    return f"- {json.dumps(listener)}"
