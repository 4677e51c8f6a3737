"""The gateway as a process of its own: ``python -m gateway``."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from grpc import aio
from pydantic import ValidationError

from gateway.limits import GatewayLimits
from gateway.process_settings import GatewayProcessSettings
from gateway.render import EnvoyMissing, GatewaySettings, command, render
from gateway.shown_keys import ShownKeys, ask_apis, read_file
from gateway.tls import CERTIFICATE, KEY, TlsFiles
from privacy import TlsUnusable, close_new_files, log_quietly

# The API's setting: with it, tokens of another issuer are the API's to look at.
OTHER_ISSUER = "MEETRA_OIDC_ISSUER"
# Of the environment, what Envoy needs to find its files.
OF_ENVOY = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
EXIT_UNUSABLE_CONFIGURATION = 2
log = logging.getLogger("gateway")


def configuration(
    settings: GatewayProcessSettings, limits: GatewayLimits, tls: TlsFiles | None, token_filter: Path
) -> str:
    """Return Envoy's configuration."""
    return render(
        GatewaySettings(
            settings.host,
            settings.port,
            settings.apis,
            None,
            tuple(settings.cors_origins.split()),
            limits=limits,
            tls=tls,
            token_filter=token_filter,
            probe_port=settings.probe_port,
        )
    )


def _write_configuration(
    folder: Path, settings: GatewayProcessSettings, limits: GatewayLimits, tls: TlsFiles | None, token_filter: Path
) -> Path:
    token_filter.parent.mkdir()
    config = folder / "envoy.yaml"
    config.write_text(configuration(settings, limits, tls, token_filter), encoding="utf-8")
    return config


async def run(settings: GatewayProcessSettings, limits: GatewayLimits, tls: TlsFiles | None) -> int:
    """Run Envoy until SIGTERM or SIGINT, from when the keys of tokens are known; return its exit code, 0 when stopped.

    Raises EnvoyMissing.
    """
    stop, first = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with TemporaryDirectory(prefix="meetra-gateway-") as folder:
        token_filter = Path(folder, "token-filter", "filter.json")
        config = _write_configuration(Path(folder), settings, limits, tls, token_filter)
        # Whoever replaces the process replaces all of it, and containers may have no shared memory.
        started = [*command(config), "--disable-hot-restart"]
        async with AsyncExitStack() as stack:
            channels = [await stack.enter_async_context(aio.insecure_channel(api.grpc)) for api in settings.apis]
            ask = partial(ask_apis, channels)
            look = ask if settings.token_keys is None else partial(read_file, settings.token_keys)
            keys = ShownKeys(look, token_filter, others_too=bool(os.environ.get(OTHER_ISSUER)))
            following = asyncio.create_task(keys.follow(first), name="follow token keys")
            try:
                # Not before: until it knows the keys, Envoy would answer every call with an error.
                if not await _first_of(first.wait(), stop.wait()):
                    return 0
                return await _run_envoy(started, stop)
            finally:
                following.cancel()


async def _run_envoy(started: list[str], stop: asyncio.Event) -> int:
    environment = {name: os.environ[name] for name in OF_ENVOY if name in os.environ}
    # In a session of its own: Ctrl-C is for us, and a stop in order.
    envoy = await asyncio.create_subprocess_exec(
        *started, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    log.info("Envoy starts")
    try:
        if await _first_of(envoy.wait(), stop.wait()):
            log.error("Envoy ended by itself, with %s", envoy.returncode)
            return 1
        return 0
    finally:
        if envoy.returncode is None:
            envoy.terminate()
            await envoy.wait()


async def _first_of(wanted: Coroutine[Any, Any, object], other: Coroutine[Any, Any, object]) -> bool:
    """Wait for one of the two; return whether it is the first."""
    tasks = [asyncio.ensure_future(wanted), asyncio.ensure_future(other)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0] in done
    finally:
        for task in tasks:
            task.cancel()


def main() -> int:
    """Run the command; return 0, 1 on a runtime failure, or 2 on invalid settings."""
    try:
        settings, limits = GatewayProcessSettings(), GatewayLimits()
    except ValidationError as error:
        problems = "; ".join(f"MEETRA_GATEWAY_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        print(f"settings: {problems}", file=sys.stderr)
        return EXIT_UNUSABLE_CONFIGURATION
    close_new_files()
    log_quietly(settings.log_level)
    try:
        tls = TlsFiles.checked(os.environ.get(CERTIFICATE, ""), os.environ.get(KEY, ""))
        if tls is None and not ipaddress.ip_address(settings.host).is_loopback:
            log.warning(
                "no TLS on %s: set %s and %s, or let only a proxy with TLS reach it", settings.host, CERTIFICATE, KEY
            )
        return asyncio.run(run(settings, limits, tls))
    except TlsUnusable as error:
        log.error("%s", error)
        return EXIT_UNUSABLE_CONFIGURATION
    except (EnvoyMissing, OSError) as error:
        log.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
