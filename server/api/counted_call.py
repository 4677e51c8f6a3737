"""The count of one call: that it ended, how, and how long it took."""

from __future__ import annotations

import time

from monitoring import describe_step
from server.api.audit_rules import short_name
from server.monitoring import CALL_SECONDS, CALLS, STREAMS_OPEN

# Of a call that its client cancelled, or that the server's stop cut.
CANCELLED = "CANCELLED"


class CountedCall:
    """A call that begins now.

    Args:
        method: ``/package.Service/Method`` of one that is served: no client chooses the values of the label.
        streams: whether it takes as long as its client wants.
    """

    def __init__(self, method: str, *, streams: bool) -> None:
        self._method, self._streams = short_name(method), streams
        self._began, self._ended = time.monotonic(), False
        if streams:
            STREAMS_OPEN.labels(self._method).inc()

    def end(self, status: str) -> None:
        """Count the call under the name of its gRPC status; only the first time has an effect."""
        if self._ended:
            return
        self._ended = True
        if not self._streams:
            describe_step(status=status)
        CALLS.labels(self._method, status).inc()
        if self._streams:
            STREAMS_OPEN.labels(self._method).dec()
        else:
            CALL_SECONDS.labels(self._method).observe(time.monotonic() - self._began)
