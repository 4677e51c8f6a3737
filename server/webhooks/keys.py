"""Secrets of webhooks, and the keys that encrypt them in the database."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from privacy import read_private

PREFIX = "whsec_"
SECRET_BYTES = 32


class UnusableWebhookKeys(Exception):
    """The file holds no usable keys, or none that encrypted a secret; the message says what to do."""


def new_webhook_secret() -> str:
    """Return a random secret, as the Standard Webhooks specification writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class WebhookKeys:
    """Encrypt and decrypt secrets, each for one webhook alone."""

    def __init__(self, keys: list[str]) -> None:
        """
        Args:
            keys: each 32 bytes in base64 (URL-safe; padding may be missing). The first encrypts, all decrypt.

        Raises UnusableWebhookKeys.
        """
        try:
            self._fernet = MultiFernet([Fernet(key.rstrip("=") + "=") for key in keys])
        except ValueError:
            raise UnusableWebhookKeys("a key of webhooks is 32 random bytes in URL-safe base64, one a line") from None

    @classmethod
    def read(cls, path: Path) -> WebhookKeys:
        """Read the keys of a file, one a line. Raises UnusableWebhookKeys, UnsafeFile."""
        try:
            return cls(read_private(path).split())
        except FileNotFoundError:
            raise UnusableWebhookKeys(
                f"{path} does not exist; make it with a line of 32 random bytes in URL-safe base64"
            ) from None
        except UnusableWebhookKeys as error:
            raise UnusableWebhookKeys(f"{path}: {error}") from None

    def seal(self, webhook_id: UUID, secret: str) -> bytes:
        """Return a secret, encrypted for this webhook."""
        return self._fernet.encrypt(webhook_id.bytes + secret.encode())

    def open(self, webhook_id: UUID, sealed: bytes) -> str:
        """Return the secret of this webhook. Raises UnusableWebhookKeys."""
        try:
            opened = self._fernet.decrypt(sealed)
        except InvalidToken:
            raise UnusableWebhookKeys("no key of webhooks decrypts the secret: rotate it, or restore the key") from None
        if opened[:16] != webhook_id.bytes:
            raise UnusableWebhookKeys("the secret is another webhook's: rotate it")
        return opened[16:].decode()
