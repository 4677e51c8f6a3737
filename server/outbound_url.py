"""URLs that the server asks on its own."""

from __future__ import annotations

from urllib.parse import urlsplit

MAX_URL = 2000


def checked_url(url: str, *, plain_http: bool, allowed_by: str) -> str:
    """Return a URL that may be asked: ``https``, or ``http`` too. Raises ValueError with the fix.

    Args:
        allowed_by: the setting that allows ``http``.
    """
    if len(url) > MAX_URL or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError(f"give the URL in ASCII, without spaces, of at most {MAX_URL} characters")
    # ValueError: brackets or a port that are none.
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.port == 0:
        raise ValueError("give a URL such as https://example.org/path")
    if parts.scheme == "http" and not plain_http:
        raise ValueError(f"use https; http is for a private network, which {allowed_by} allows")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("leave user, password and fragment out of the URL")
    return url
