"""One attempt to deliver: a signed request, bounded in time, to an address that is allowed, without redirects."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import httpcore
import httpx
from standardwebhooks import Webhook

from server.outbound_connection import AddressRefused, outbound_pool
from server.webhooks.destinations import PLAIN, PRIVATE, Destinations

GONE = 410
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of one attempt."""

    status: int
    """Of HTTP; 0: there was no answer."""
    error: str
    """What failed, without anything that the receiver said; empty: it has the event."""
    ms: int
    asked_s: float = 0.0
    """After how many seconds the receiver asks to be tried again; 0: it does not say."""


class WebhookPost:
    """Send events."""

    def __init__(self, destinations: Destinations, timeout_s: float, executor: Executor | None = None) -> None:
        """
        Args:
            timeout_s: in which the receiver must answer, from the look-up of its name on, seconds.
            executor: where names are looked up.
        """
        self._destinations, self._timeout_s, self._executor = destinations, timeout_s, executor
        self._context = httpx.create_ssl_context()

    async def send(self, url: str, event_id: UUID, body: str, secrets: Sequence[str]) -> PostResult:
        """Send an event, signed with each secret. Of the answer only its status and Retry-After are read."""
        started = time.monotonic()
        status, error, asked_s = 0, "", 0.0
        try:
            async with asyncio.timeout(self._timeout_s):
                status, asked_s = await self._post(url, signed_headers(event_id, body, secrets), body.encode())
            error = "" if 200 <= status < 300 else _described(status)
        except TimeoutError:
            error = f"no answer within {self._timeout_s:g} s"
        except AddressRefused:
            error = PRIVATE if url.startswith("https:") else f"{PRIVATE}; {PLAIN}"
        except (httpcore.NetworkError, httpcore.ProxyError, OSError) as failure:
            error = _cause(failure)
        except (httpcore.TimeoutException, httpcore.ProtocolError, UnicodeError, ValueError) as failure:
            error = f"no answer that is HTTP ({type(failure).__name__})"
        except Exception:
            # Whatever it is: the attempt counts, or it would be repeated for ever.
            log.exception("an event could not be sent")
            error = "the server could not send it; the reason is in its log"
        return PostResult(status, error, round(1000 * (time.monotonic() - started)), asked_s)

    async def _post(self, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[int, float]:
        scheme = urlsplit(url).scheme
        pool = outbound_pool(
            url, lambda address: self._destinations.allows(scheme, address), self._context, self._executor
        )
        async with pool, pool.stream("POST", url, headers=headers, content=body) as answer:
            return answer.status, _retry_after_s(answer.headers)


def signed_headers(event_id: UUID, body: str, secrets: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request of now, as the Standard Webhooks specification has them."""
    # The library takes a moment without looking at its zone: it must be UTC.
    now = datetime.now(UTC)
    signatures = " ".join(Webhook(secret).sign(str(event_id), now, body) for secret in secrets)
    named = {
        "content-type": "application/json",
        "user-agent": "Meetra-Webhooks/1",
        "accept-encoding": "identity",
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signatures,
    }
    return [(name.encode(), value.encode()) for name, value in named.items()]


def _described(status: int) -> str:
    if 300 <= status < 400:
        return f"HTTP status {status}: redirects are not followed"
    return "HTTP status 410: gone" if status == GONE else f"HTTP status {status}"


def _cause(failure: Exception) -> str:
    # httpcore wraps what anyio wraps: the reason is at the end of the chain.
    reasons: list[BaseException] = [failure]
    while (inner := reasons[-1].__cause__ or reasons[-1].__context__) is not None and inner not in reasons:
        reasons.append(inner)
    if any(isinstance(reason, ssl.SSLError) for reason in reasons):
        return "no connection: its TLS certificate is not valid for this name, or TLS failed"
    said = next((reason.strerror for reason in reasons if isinstance(reason, OSError) and reason.strerror), None)
    return f"no connection: {said or type(failure).__name__}"


def _retry_after_s(headers: list[tuple[bytes, bytes]]) -> float:
    """Return the seconds that a Retry-After header names; 0 for none, or a date."""
    said = next((value for name, value in headers if name.lower() == b"retry-after"), b"").strip()
    return float(said) if said.isdigit() and len(said) < 10 else 0.0
