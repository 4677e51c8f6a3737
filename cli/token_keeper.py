"""Keeps the keys of tokens while ``meetra up`` runs: a first one, no spent ones, the gateway told."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway import render_token_filter
from privacy import UnsafeFile, write_private
from server.auth import UnusableTokenKeys, ensure_key, read_keys, remove_spent

LOOK_AGAIN_S = 1.0
log = logging.getLogger(__name__)


class TokenKeeper:
    """The keys in a folder, and the gateway's file about them.

    Args:
        ttl_s: lifetime of a token, seconds.
        filter_file: what ``GatewaySettings.token_filter`` names; None: the gateway does not look at tokens.
    """

    def __init__(self, folder: Path, ttl_s: int, filter_file: Path | None) -> None:
        self._folder, self._ttl = folder, timedelta(seconds=ttl_s)
        self._filter_file = filter_file
        self._shown = ""

    def tend(self) -> None:
        """Make a first key, remove spent ones, tell the gateway what changed. Raises UnusableTokenKeys, UnsafeFile."""
        now = datetime.now(UTC)
        ensure_key(self._folder, now)
        for key_id in remove_spent(self._folder, self._ttl, now):
            log.info("removed the token key %s: its last token has expired", key_id)
        if self._filter_file is None:
            return
        shown = render_token_filter(read_keys(self._folder).jwks())
        if shown != self._shown:
            self._filter_file.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(self._filter_file, shown)
            self._shown = shown

    async def run(self) -> None:
        """Tend the keys until cancelled."""
        failure = ""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                await asyncio.to_thread(self.tend)
                failure = ""
            except (UnusableTokenKeys, UnsafeFile, OSError) as error:
                if failure != (failure := str(error)):
                    log.error("the token keys stay as they were: %s", error)
