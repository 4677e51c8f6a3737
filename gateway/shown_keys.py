"""The public keys of tokens, where the gateway is a process of its own: asked of the API, or read from a file."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from grpc import aio
from meetra.v1 import auth_pb2, auth_pb2_grpc

from gateway.token_filter import render_token_filter
from privacy import write_private

LOOK_AGAIN_S = 1.0
CALL_TIMEOUT_S = 5.0
MAX_FILE_BYTES = 1024 * 1024
log = logging.getLogger(__name__)

Jwks = dict[str, Any]


class NoKeys(Exception):
    """The keys cannot be had now; the message says why."""


async def ask_apis(channels: Sequence[aio.Channel]) -> Jwks:
    """Return the keys that the first API that answers verifies tokens with; all have the same. Raises NoKeys."""
    for number, channel in enumerate(channels, start=1):
        try:
            return await _ask_api(channel)
        except NoKeys:
            if number == len(channels):
                raise
    raise NoKeys("there is no API to ask")


async def _ask_api(channel: aio.Channel) -> Jwks:
    try:
        answer = await auth_pb2_grpc.AuthServiceStub(channel).ListTokenKeys(
            auth_pb2.ListTokenKeysRequest(), timeout=CALL_TIMEOUT_S
        )
    except aio.AioRpcError as error:
        raise NoKeys(f"the API does not answer: {error.code().name}") from None
    return checked(MessageToDict(answer))


async def read_file(path: Path) -> Jwks:
    """Return the keys of a file. Raises NoKeys."""
    try:
        with path.open(encoding="utf-8") as file:
            return checked(json.loads(file.read(MAX_FILE_BYTES)))
    except OSError as error:
        raise NoKeys(f"{path} cannot be read ({error.strerror})") from None
    except ValueError:
        raise NoKeys(f"{path} holds no JSON") from None


def checked(jwks: Any) -> Jwks:
    """Return a key set that has keys. Raises NoKeys."""
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list) or not jwks["keys"]:
        raise NoKeys('there is no key in it: a JSON Web Key Set is {"keys": [...]}')
    return jwks


class ShownKeys:
    """Envoy's file about tokens, in line with the keys."""

    def __init__(self, look: Callable[[], Awaitable[Jwks]], file: Path, *, others_too: bool) -> None:
        """
        Args:
            look: returns the keys of now; raises NoKeys.
            file: what ``GatewaySettings.token_filter`` names.
            others_too: whether tokens of other issuers pass, for the API to look at.
        """
        self._look, self._file, self._others_too = look, file, others_too
        self._shown = ""

    async def update(self) -> None:
        """Show the keys of now. Raises NoKeys: those shown stay."""
        shown = render_token_filter(await self._look(), others_too=self._others_too)
        if shown != self._shown:
            write_private(self._file, shown)
            self._shown = shown

    async def follow(self, first: asyncio.Event) -> None:
        """Update again and again until cancelled; ``first`` is set once keys are shown."""
        failure = ""
        while True:
            try:
                await self.update()
                if failure:
                    log.info("the keys of tokens are known again")
                failure = ""
                first.set()
            except (NoKeys, OSError) as error:
                if failure != (failure := str(error)):
                    log.warning("the keys of tokens stay as they were: %s", error)
            await asyncio.sleep(LOOK_AGAIN_S)
