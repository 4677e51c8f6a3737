"""One look at whether a server's address answers, without the patience of a call."""

from __future__ import annotations

import asyncio
import os

from meetra_client.connection import Endpoint
from meetra_client.errors import Unreachable

REACH_TIMEOUT_S = 10.0
# As gRPC reads them.
PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")


async def check_reachable(url: str, endpoint: Endpoint) -> None:
    """Connect once. Raises Unreachable where nothing answers.

    Args:
        url: the address as the user gave it, for the message.
        endpoint: the same, parsed.
    """
    # Behind a proxy the server need not be reachable from here, nor its name be known.
    if any(os.environ.get(name) for name in PROXY_VARIABLES):
        return
    host, _, port = endpoint.target.rpartition(":")
    try:
        async with asyncio.timeout(REACH_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()
    except TimeoutError:
        raise Unreachable(f"cannot reach {url}: no answer within {REACH_TIMEOUT_S:.0f} s") from None
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unreachable(f"cannot reach {url}: {reason}; is it running, and is the address right?") from None
