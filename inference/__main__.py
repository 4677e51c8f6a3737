"""Composition root of the inference server: ``python -m inference``."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

import uvloop
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from meetra.inference.v2 import language_pb2, language_pb2_grpc, session_pb2, session_pb2_grpc
from pydantic import ValidationError

from inference.api import (
    TLS_SETTINGS,
    LanguageServicer,
    SessionLimits,
    SessionServicer,
    default_max_sessions,
    listen,
)
from inference.config import InferenceSettings
from inference.engine import ModelEngine
from inference.linear_algebra_threads import use_one_thread
from inference.models import ModelCorrupt, ModelMissing, ModelSet, ModelUnfit
from inference.process_memory import keep_freed_blocks
from inference.selection import load_models
from monitoring import MetricsServer, TracingUnavailable, leave_loaded_objects_out_of_collections, start_tracing
from privacy import MutualTls, TlsUnusable, close_new_files, log_quietly

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
# The server's jobs survive a cut session, so a stop need not wait long.
STOP_GRACE_S = 2.0
# Exit code that tells a supervisor not to restart without changes.
EXIT_UNUSABLE_CONFIGURATION = 2
log = logging.getLogger("inference")


async def serve(settings: InferenceSettings, models: ModelSet, tls: MutualTls | None) -> None:
    """Serve until SIGTERM or SIGINT. Raises RuntimeError or OSError when an address is unavailable."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # To look for leaks: `kill -USR1` logs what the process holds.
    loop.add_signal_handler(signal.SIGUSR1, lambda: log.info("holds: tasks %d", len(asyncio.all_tasks(loop))))
    server = aio.server(
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ]
    )
    window_ms = settings.batch_window_ms
    engine = ModelEngine(models, None if window_ms is None else window_ms / 1000)
    sessions = settings.max_sessions or default_max_sessions(models)
    limits = SessionLimits(
        sessions,
        settings.reserved_share,
        settings.organization_share,
        settings.max_live_lag_s,
        settings.memory_reserve_bytes,
    )
    servicer = SessionServicer(engine, limits)
    session_pb2_grpc.add_SessionServiceServicer_to_server(servicer, server)
    language_pb2_grpc.add_LanguageServiceServicer_to_server(LanguageServicer(models), server)
    states = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    services = (
        session_pb2.DESCRIPTOR.services_by_name["SessionService"].full_name,
        language_pb2.DESCRIPTOR.services_by_name["LanguageService"].full_name,
    )
    reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    metrics = MetricsServer(settings.metrics_listen) if settings.metrics_listen else None
    try:
        listen(server, settings.listen, tls)
        leave_loaded_objects_out_of_collections()
        await server.start()
        await states.set("", health_pb2.HealthCheckResponse.SERVING)
        watching = asyncio.create_task(servicer.watch_load(), name="how late live sessions are")
        log.info("inference server listens on %s with models: %s", settings.listen, "; ".join(models.names))
        await stop.wait()
        watching.cancel()
        await states.enter_graceful_shutdown()
        await server.stop(STOP_GRACE_S)
    finally:
        if metrics is not None:
            metrics.close()
        await engine.close()


def main() -> int:
    """Run the server; return 0, 1 when serving fails, or UNUSABLE_CONFIGURATION."""
    try:
        settings = InferenceSettings()
    except ValidationError as error:
        problems = "; ".join(f"MEETRA_INFERENCE_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        print(f"settings: {problems}", file=sys.stderr)
        return EXIT_UNUSABLE_CONFIGURATION
    close_new_files()
    log_quietly(settings.log_level, process="inference", as_json=settings.log_format == "json")
    keep_freed_blocks()
    use_one_thread()
    try:
        tls = MutualTls.read(TLS_SETTINGS, settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        stop_tracing = start_tracing("inference")
        try:
            models = load_models(settings)
            uvloop.run(serve(settings, models, tls))
        finally:
            stop_tracing()
    except (ModelMissing, ModelCorrupt, ModelUnfit, TlsUnusable, TracingUnavailable) as error:
        log.error("%s", error)
        return EXIT_UNUSABLE_CONFIGURATION
    except (RuntimeError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
