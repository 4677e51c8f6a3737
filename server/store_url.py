"""URLs of object stores, and which environment variables hold their credentials."""

from __future__ import annotations

from urllib.parse import urlsplit

# Environment variables of each kind of store begin so.
_CREDENTIALS = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}


def check_store_url(url: str) -> str:
    """Return the URL of an object store; empty: none. Raises ValueError."""
    if not url:
        return url
    # ValueError: brackets or a port that are none.
    parts = urlsplit(url)
    if parts.scheme not in _CREDENTIALS or not parts.netloc:
        raise ValueError("give a URL such as s3://bucket/folder, gs://bucket/folder or az://container/folder")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave credentials out of the URL; the cloud's own environment variables have them")
    if parts.query or parts.fragment or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError("end the URL with a folder, in ASCII and without spaces")
    return url


def credentials_prefix(url: str) -> str:
    """Return what the names of the environment variables begin with that a store's library reads: its settings too."""
    return _CREDENTIALS[urlsplit(url).scheme]
