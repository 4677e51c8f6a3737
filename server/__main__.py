"""Composition root of the server: ``python -m server api | worker | migrate``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import uvloop
from pydantic import ValidationError

from health import serve_health
from monitoring import MemoryReserve, TracingUnavailable, leave_loaded_objects_out_of_collections, start_tracing
from privacy import MutualTls, TlsUnusable, UnsafeFile, close_folder, close_new_files, log_quietly
from server import sandbox
from server.analysis import AudioQuota, Decoding, MeetingAnalyzer, SummaryWriter, analyse_sentence
from server.api import ApiDependencies, build_server, serve
from server.audio import UPLOADED, AudioLog, ObjectStore, StoreUnavailable
from server.audit import AuditTrail
from server.auth import (
    Authenticator,
    ExternalIssuer,
    IssuerKeys,
    IssuerRules,
    Passwords,
    TokenKeys,
    Tokens,
    UnusableTokenKeys,
    UserWatch,
    fetch_json,
)
from server.config import ApiSettings, MigrationSettings, ServerSettings, invalid_settings
from server.descriptors import raise_descriptor_limit
from server.disk import DiskReserve
from server.engine import TLS_SETTINGS, InferenceClient
from server.fair_slots import FairSlots
from server.file_threads import use_file_threads
from server.live import LiveDependencies, LiveRecordings, LiveSessionRegistry, TrackKeeper
from server.meetings import (
    Corrections,
    DecodedFiles,
    Deletion,
    JobRunner,
    Retention,
    UploadAllowances,
    UploadLimits,
    Uploads,
    Worker,
)
from server.search import Search, SearchIndexing
from server.served_metrics import served_metrics
from server.storage import Database, DatabaseUnavailable, UnfitDatabase, check_access, migrate
from server.webhooks import Destinations, UnusableWebhookKeys, WebhookKeys, WebhookPost, Webhooks, WebhookSender

log = logging.getLogger("server")
# Look-ups of names that nobody answers for wait long, and hold up nobody else.
NAME_LOOKUP_THREADS = 32
# Syncs wait for the disk, not for a core.
SYNCING_THREADS = 8
SETTINGS: dict[str, type[MigrationSettings | ServerSettings]] = {
    "api": ApiSettings,
    "migrate": MigrationSettings,
    "worker": ServerSettings,
}


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # For leak diagnosis: `kill -USR1`.
    loop.add_signal_handler(signal.SIGUSR1, lambda: log.info("holds: tasks %d", len(asyncio.all_tasks(loop))))
    return stop


@asynccontextmanager
async def meeting_analyzer(
    settings: ServerSettings, database: Database, audio_log: AudioLog
) -> AsyncIterator[MeetingAnalyzer]:
    """Yield an analyzer with its own connection to the inference server, closed at the end."""
    certificate, key = settings.inference_client_certificate, settings.inference_client_key
    tls = MutualTls.read(TLS_SETTINGS, certificate, key, settings.inference_ca)
    inference = InferenceClient(settings.inference_address, tls, settings.inference_stall_s)
    live = LiveRecordings(database, audio_log)
    decoding = Decoding(
        settings.max_duration_s,
        settings.max_decoded_bytes,
        DiskReserve(audio_log.root, settings.disk_reserve_bytes),
        FairSlots(settings.decoders_at_once),
    )
    quota = AudioQuota(database, settings.quotas)
    try:
        yield MeetingAnalyzer(database, audio_log, inference, SummaryWriter(settings), live.load, decoding, quota)
    finally:
        await inference.close()


def open_audio_log(settings: ServerSettings) -> AudioLog:
    """Return the audio log of the settings, with its object store if there is one. Raises StoreUnavailable."""
    store = ObjectStore(settings.audio_store, settings.audio_store_patience_s) if settings.audio_store else None
    return AudioLog(settings.audio_dir, store, settings.disk_reserve_bytes)


def receive_uploads(settings: ServerSettings, database: Database, audio_log: AudioLog) -> Uploads:
    """Return what receives uploads, within the limits of the settings."""
    disk = DiskReserve(audio_log.root, settings.disk_reserve_bytes)
    return Uploads(
        audio_log,
        database,
        UploadLimits(settings.max_upload_bytes, settings.max_duration_s),
        UploadAllowances(database, settings.quotas, disk, MemoryReserve(settings.memory_reserve_bytes)),
        FairSlots(settings.decoders_at_once),
    )


def external_issuer(settings: ApiSettings) -> ExternalIssuer | None:
    """Return the issuer of the settings, if there is one."""
    if not settings.oidc_issuer:
        return None
    rules = IssuerRules(
        settings.oidc_issuer,
        settings.oidc_audience,
        settings.oidc_email_claim,
        settings.oidc_organization,
        settings.oidc_new_user_role,
    )
    fetch = partial(fetch_json, private_network=settings.oidc_private_network)
    return ExternalIssuer(rules, IssuerKeys(rules.issuer, settings.oidc_jwks_url, fetch))


def name_lookups() -> ThreadPoolExecutor:
    """Return the threads in which the names of webhooks' receivers are looked up."""
    return ThreadPoolExecutor(NAME_LOOKUP_THREADS, thread_name_prefix="name-lookup")


def read_webhook_keys(settings: ServerSettings) -> WebhookKeys | None:
    """Return the keys of the settings, None without them. Raises UnusableWebhookKeys, UnsafeFile."""
    return WebhookKeys.read(settings.webhook_keys) if settings.webhook_keys is not None else None


def manage_webhooks(settings: ServerSettings, database: Database) -> Webhooks:
    """Return what the API does with webhooks. Raises UnusableWebhookKeys, UnsafeFile."""
    destinations = Destinations(settings.webhook_networks, name_lookups())
    return Webhooks(database, read_webhook_keys(settings), destinations)


def webhook_sender(settings: ServerSettings, database: Database) -> WebhookSender | None:
    """Return what delivers to webhooks, None where there are none. Raises UnusableWebhookKeys, UnsafeFile."""
    keys = read_webhook_keys(settings)
    if keys is None:
        return None
    lookups = name_lookups()
    post = WebhookPost(Destinations(settings.webhook_networks, lookups), settings.webhook_timeout_s, lookups)
    return WebhookSender(settings, database, keys, post)


async def run_api(settings: ApiSettings) -> None:
    """Run the gRPC API until stopped."""
    stop = stop_on_signals()
    use_file_threads()
    token_keys = TokenKeys.in_folder(settings.token_keys)
    tokens = Tokens(token_keys, settings.token_ttl_s)
    log.info("up to %d descriptors", raise_descriptor_limit())
    await sandbox.log_walls()
    database = await Database.connect(settings.database_url.get_secret_value())
    try:
        await database.run(check_access)
        audio_log = open_audio_log(settings)
        # Versions before this one let other users of the machine read live tracks.
        if settings.audio_dir.exists():
            await asyncio.to_thread(close_folder, settings.audio_dir)
        if settings.audio_store != "" and await asyncio.to_thread(audio_log.hold, UPLOADED):
            log.warning(
                "%s has recordings of before the object store was set, which nobody finds there: `meetra backup` and"
                " `meetra restore` move them into the store",
                settings.audio_dir,
            )
        if swept := await asyncio.to_thread(audio_log.sweep_leftovers):
            log.info("removed %d files of interrupted uploads", swept)
        async with meeting_analyzer(settings, database, audio_log) as analyzer:
            with (
                served_metrics(settings, database),
                ThreadPoolExecutor(SYNCING_THREADS, thread_name_prefix="audio-log") as syncing,
            ):
                runner, user_watch = JobRunner(settings, database), UserWatch(database)
                keeper = TrackKeeper(database, audio_log) if settings.audio_store else None
                live = LiveSessionRegistry(
                    LiveDependencies(settings, database, audio_log, analyzer, runner, syncing, keeper)
                )
                deletion = Deletion(audio_log, database, live.discard)
                if finished := await deletion.finish_abandoned(0.0):
                    log.info("completed %d deletions that were interrupted", finished)
                if orphans := await deletion.sweep_orphans():
                    log.info("removed %d recordings of deleted meetings", orphans)
                trail = AuditTrail(database, settings.audit_rows_per_day)
                server = build_server(
                    ApiDependencies(
                        settings=settings,
                        database=database,
                        tokens=tokens,
                        authenticator=Authenticator(tokens, database, external_issuer(settings)),
                        trail=trail,
                        audio_log=audio_log,
                        user_watch=user_watch,
                        passwords=Passwords(),
                        uploads=receive_uploads(settings, database, audio_log),
                        deletion=deletion,
                        inference=analyzer.inference,
                        corrections=Corrections(
                            database, live.adopt_names, partial(analyse_sentence, inference=analyzer.inference)
                        ),
                        live=live,
                        search=Search(database, analyzer.inference),
                        webhooks=manage_webhooks(settings, database),
                    )
                )
                leave_loaded_objects_out_of_collections()
                following = asyncio.create_task(token_keys.watch(), name="follow token keys")
                settling = None if keeper is None else asyncio.create_task(keeper.run(), name="settle live meetings")
                try:
                    await serve(
                        server,
                        settings.api_listen,
                        stop,
                        live,
                        user_watch,
                        trail,
                        deletion,
                        socket_listen=settings.api_socket_listen,
                        http_listen=settings.api_http_listen,
                    )
                finally:
                    following.cancel()
                    if keeper is not None and settling is not None:
                        settling.cancel()
                        await keeper.close()
    finally:
        await database.close()


async def run_worker(settings: ServerSettings) -> None:
    """Run the worker until stopped; its jobs then return to the queue."""
    stop = stop_on_signals()
    use_file_threads()
    await sandbox.log_walls()
    database = await Database.connect(settings.database_url.get_secret_value())
    try:
        await database.run(check_access)
        audio_log = open_audio_log(settings)
        async with meeting_analyzer(settings, database, audio_log) as analyzer:
            runner, decoded = JobRunner(settings, database), DecodedFiles(audio_log, database)
            retention = Retention(audio_log, database, settings.retention_every_s)
            indexing, sender = SearchIndexing(database), webhook_sender(settings, database)
            worker = Worker(settings, database, analyzer, runner, decoded, retention, indexing, sender)
            leave_loaded_objects_out_of_collections()
            with served_metrics(settings, database):
                async with serve_health(settings.worker_listen, database.keep_checking):
                    await worker.run(stop)
    finally:
        await database.close()


async def run_migrate(settings: MigrationSettings) -> None:
    """Migrate the database to this version's schema."""
    applied = await migrate(settings.database_owner_url.get_secret_value())
    print("applied: " + ", ".join(applied) if applied else "the database is up to date")


def main() -> int:
    """Run the command; return 0, 1 on a runtime failure, or 2 on invalid settings."""
    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    parser.add_argument("command", choices=tuple(SETTINGS))
    arguments = parser.parse_args()
    try:
        settings = SETTINGS[arguments.command]()
    except ValidationError as error:
        print(invalid_settings(error, ServerSettings.model_config["env_prefix"]), file=sys.stderr)
        return 2
    close_new_files()
    log_quietly(settings.log_level, process=arguments.command, as_json=settings.log_format == "json")
    try:
        if isinstance(settings, MigrationSettings):
            uvloop.run(run_migrate(settings))
            return 0
        stop_tracing = start_tracing(arguments.command)
        try:
            uvloop.run(run_api(settings) if isinstance(settings, ApiSettings) else run_worker(settings))
        finally:
            stop_tracing()
    except (
        TlsUnusable,
        TracingUnavailable,
        UnusableTokenKeys,
        UnusableWebhookKeys,
        UnsafeFile,
        StoreUnavailable,
    ) as error:
        log.error("%s", error)
        return 2
    except (DatabaseUnavailable, UnfitDatabase, OSError, RuntimeError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
