"""Client of a model hub with the API of the Hugging Face hub: metadata and bytes of files.

``huggingface_hub`` does not fit: it resumes downloads only within one process, checks sizes but no digests, writes as
much as it is sent, and follows redirects anywhere.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeVar
from urllib.parse import quote

import httpx

DEFAULT_HUB = "https://huggingface.co"
TIMEOUT_S = 30.0
# Consecutive failures without a byte in between before a pull gives up.
ATTEMPTS = 6
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 30.0
MAX_REDIRECTS = 5
RETRY_STATUSES = {408, 425, 429, 500, 502, 503, 504}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
Outcome = TypeVar("Outcome")
log = logging.getLogger("inference.catalogue")


class PullFailed(Exception):
    """A model could not be pulled; the message names the cause and the fix."""


class HubUnreachable(PullFailed):
    """No usable response came after all attempts."""


class AccessRefused(PullFailed):
    """The hub requires accepted terms or a token."""


class NotAtHub(PullFailed):
    """The hub has no such repository, revision or file."""


class DownloadInterrupted(Exception):
    """The connection was cut, or the hub is busy; worth another attempt."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """A hub's metadata of one file."""

    commit: str | None
    size: int | None
    """Bytes."""
    sha256: str | None
    """Of files in large file storage."""
    git_sha1: str | None
    """Git's object name of all other files (SHA-1 over a header and the bytes)."""


class Hub:
    """Client of one hub. The token goes to that hub only, and never in the clear."""

    def __init__(
        self, address: str, token: str | None, timeout_s: float = TIMEOUT_S, first_pause_s: float = FIRST_PAUSE_S
    ):
        try:
            self.address = httpx.URL(address.rstrip("/"))
        except httpx.InvalidURL:
            self.address = httpx.URL("")
        if self.address.scheme not in ("http", "https") or not self.address.host:
            raise PullFailed(f"MEETRA_MODELS_HUB: {address!r} is not the address of a hub; give https://HOST")
        self._may_carry_token = self.address.scheme == "https" or self.address.host in LOOPBACK
        self._token = token
        self._first_pause_s = first_pause_s
        # Identity encoding: lengths are those of files, and no decoder runs on untrusted bytes.
        headers = {"Accept-Encoding": "identity", "User-Agent": "meetra"}
        try:
            self._client = httpx.Client(timeout=timeout_s, headers=headers, follow_redirects=False)
        except (ImportError, OSError, ValueError) as error:
            raise PullFailed(f"a proxy or certificate of the environment cannot be used: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def metadata(self, repository: str, revision: str, path: str) -> FileMetadata:
        """Return the hub's metadata of a file. Raises PullFailed."""
        return self.retry(lambda: self._metadata(repository, revision, path), f"{repository}/{path}")

    def _metadata(self, repository: str, revision: str, path: str) -> FileMetadata:
        with self._send("HEAD", self._resolve(repository, revision, path), {}, cross_hosts=False) as (
            response,
            hub_headers,
        ):
            self._check(response, repository, revision, path)
            etag = hub_headers.get("x-linked-etag") or hub_headers.get("etag") or ""
            digest = etag.removeprefix("W/").strip('"').lower()
            length = (
                hub_headers.get("x-linked-size")
                or (hub_headers.get("content-length") if response.is_success else None)
                or ""
            )
            commit = hub_headers.get("x-repo-commit", "")
        return FileMetadata(
            commit=commit if re.fullmatch("[0-9a-f]{40}", commit) else None,
            size=int(length) if re.fullmatch(r"\d{1,15}", length) else None,
            sha256=digest if re.fullmatch("[0-9a-f]{64}", digest) else None,
            git_sha1=digest if re.fullmatch("[0-9a-f]{40}", digest) else None,
        )

    @contextmanager
    def read(
        self, repository: str, revision: str, path: str, offset: int
    ) -> Iterator[tuple[int, int | None, Iterator[bytes]]]:
        """Open a file at the hub from an offset.

        Yields:
            The offset at which the bytes really start (0 where the hub does not support ranges), the announced size of
            the whole file, and the bytes.

        Raises:
            DownloadInterrupted: worth another attempt.
            PullFailed: not worth one.
        """
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        with self._send("GET", self._resolve(repository, revision, path), wanted, cross_hosts=True) as (response, _):
            self._check(response, repository, revision, path)
            if response.is_redirect:
                raise PullFailed(f"{repository}/{path}: {response.url.host} sent a redirect without a location")
            start, total = 0, response.headers.get("content-length", "")
            if response.status_code == 206:
                content_range = re.fullmatch(
                    r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})", response.headers.get("content-range", "")
                )
                if content_range is None or int(content_range[1]) != offset:
                    raise PullFailed(f"{repository}/{path}: the hub sent a different range than requested")
                start, total = int(content_range[1]), content_range[2]
            yield start, int(total) if re.fullmatch(r"\d{1,15}", total) else None, _chunks(response)

    def retry(self, attempt: Callable[[], Outcome], what: str, progressed: Callable[[], int] = lambda: 0) -> Outcome:
        """Repeat an attempt while it raises Interrupted, with growing pauses; progress resets the count.

        Args:
            attempt: the call to repeat.
            what: names it in errors and logs.
            progressed: returns the number of bytes received so far.

        Raises:
            HubUnreachable: after ATTEMPTS consecutive failures.
        """
        failures, reached = 0, progressed()
        while True:
            try:
                return attempt()
            except DownloadInterrupted as error:
                failures = 1 if progressed() > reached else failures + 1
                reached = max(reached, progressed())
                if failures >= ATTEMPTS:
                    raise HubUnreachable(
                        f"{what}: no valid response from {self.address} after {failures} attempts ({error}); check the "
                        "network, a proxy (HTTPS_PROXY), or MEETRA_MODELS_HUB; the downloaded part is kept"
                    ) from error
                pause_s = min(self._first_pause_s * 2 ** (failures - 1), MAX_PAUSE_S)
                pause_s = max(pause_s, min(error.wait_s, MAX_PAUSE_S))
                log.warning("%s: %s; retrying in %.0f s", what, error, pause_s)
                time.sleep(pause_s)

    def _resolve(self, repository: str, revision: str, path: str) -> httpx.URL:
        return httpx.URL(f"{self.address}/{quote(repository)}/resolve/{quote(revision, safe='')}/{quote(path)}")

    @contextmanager
    def _send(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], *, cross_hosts: bool
    ) -> Iterator[tuple[httpx.Response, dict[str, str]]]:
        """Follow redirects; yield the last response, and all headers that the hub itself sent on the way.

        Without ``cross_hosts``, the chain ends at the first redirect to another host.
        """
        hub_headers: dict[str, str] = {}
        for _ in range(MAX_REDIRECTS + 1):
            request = self._client.build_request(method, url, headers={**headers, **self._authorization(url)})
            try:
                response = self._client.send(request, stream=True)
            except httpx.TransportError as error:
                raise DownloadInterrupted(f"{type(error).__name__} at {url.host}: {str(error)[:200]}") from error
            try:
                if self._is_hub(url):
                    hub_headers |= {name.lower(): value for name, value in response.headers.items()}
                location = response.headers.get("location") if response.is_redirect else None
                target = _redirect_target(url, location) if location else None
                if target is None or (not cross_hosts and not self._is_hub(target)):
                    yield response, hub_headers
                    return
                if url.scheme == "https" and target.scheme != "https":
                    raise PullFailed(
                        f"{url.host} redirects from https to {target.scheme}://{target.host}; not followed"
                    )
                url = target
            finally:
                response.close()
        raise PullFailed(f"{url.host} redirects more than {MAX_REDIRECTS} times")

    def _is_hub(self, url: httpx.URL) -> bool:
        return (url.scheme, url.host, url.port) == (self.address.scheme, self.address.host, self.address.port)

    def _authorization(self, url: httpx.URL) -> dict[str, str]:
        if self._token and self._may_carry_token and self._is_hub(url):
            return {"Authorization": f"Bearer {self._token}"}
        return {}

    def _check(self, response: httpx.Response, repository: str, revision: str, path: str) -> None:
        """Raise Interrupted or PullFailed for a response without a file."""
        status, code = response.status_code, response.headers.get("x-error-code", "")
        if response.is_success or response.is_redirect:
            return
        from_hub = self._is_hub(response.url)
        # A 403 of another host means that the hub's link expired; the next attempt gets a new one.
        if status in RETRY_STATUSES or (status in (401, 403) and not from_hub):
            after = response.headers.get("retry-after", "")
            raise DownloadInterrupted(
                f"HTTP {status} from {response.url.host}", float(after) if after.isdecimal() else 0.0
            )
        page = f"{self.address}/{repository}"
        if status == 403 or code == "GatedRepo":
            hint = "with the account of HF_TOKEN" if self._token else "and set HF_TOKEN to a token of that account"
            raise AccessRefused(f"{repository}: accept the terms at {page} {hint} (HTTP {status}), then pull again")
        if status == 401:
            hint = "the hub rejects HF_TOKEN" if self._token else "it may be private: set HF_TOKEN"
            raise AccessRefused(
                f"{repository}: {self.address} does not find the repository, or denies access (HTTP 401); {hint}"
            )
        if status == 404:
            raise NotAtHub(f"{self.address} has no {repository}/{path} at revision {revision} ({code or 'HTTP 404'})")
        short = "; its file is shorter than expected" if status == 416 else ""
        raise PullFailed(f"{repository}/{path}: {response.url.host} answered HTTP {status}{short}")


def _redirect_target(url: httpx.URL, location: str) -> httpx.URL:
    """Return a redirect's target. Raises PullFailed for one that must not be followed."""
    target = url.join(location)
    if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme != "https"):
        raise PullFailed(f"{url.host} redirects from {url.scheme} to {target.scheme}://{target.host}; not followed")
    return target


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    try:
        # In chunks as received: a buffer would lose its contents when the connection is cut.
        yield from response.iter_raw()
    except httpx.TransportError as error:
        raise DownloadInterrupted(f"{type(error).__name__} at {response.url.host}") from error


def hub_address() -> str:
    """Return ``MEETRA_MODELS_HUB``, or the public hub."""
    return os.environ.get("MEETRA_MODELS_HUB") or DEFAULT_HUB
