"""Keeps the keys of tokens while ``meetra up`` runs: a first one, no spent ones, the gateway told."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from cli.home import Home
from gateway import render_token_filter
from privacy import UnsafeFile, write_private
from server.auth import UnusableTokenKeys, ensure_key, read_keys, remove_spent
from server.config import TokenSettings

LOOK_AGAIN_S = 1.0
log = logging.getLogger(__name__)


class TokenKeeper:
    """The keys of a data folder, and the gateway's file about them."""

    def __init__(self, home: Home, settings: TokenSettings) -> None:
        self._folder, self._filter_file = home.token_keys, home.token_filter
        self._ttl = timedelta(seconds=settings.token_ttl_s)
        self._others_too = bool(settings.oidc_issuer)
        self._shown = ""

    def tend(self) -> None:
        """Make a first key, remove spent ones, tell the gateway what changed. Raises UnusableTokenKeys, UnsafeFile."""
        now = datetime.now(UTC)
        ensure_key(self._folder, now)
        for key_id in remove_spent(self._folder, self._ttl, now):
            log.info("removed the token key %s: its last token has expired", key_id)
        shown = render_token_filter(read_keys(self._folder).jwks(), others_too=self._others_too)
        if shown != self._shown or not self._filter_file.exists():
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
