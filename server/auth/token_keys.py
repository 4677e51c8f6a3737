"""The keys that sign tokens: Ed25519, a file each in a folder of secrets; the newest signs, all verify."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from privacy import UnsafeFile, read_private, write_private

ALGORITHM = "EdDSA"
# A key's id is the name of its file: when it was made (UTC), and chance.
KEY_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{16}")
_TIME = "%Y%m%dT%H%M%SZ"
KEY_SUFFIX, REVOKED_SUFFIX = ".pem", ".revoked"
# Until then every API process and the gateway know a new key.
SIGNS_AFTER = timedelta(seconds=60)
# That a key was revoked is remembered for longer than a stream of a live meeting lasts.
REVOKED_KEPT = timedelta(days=7)
LOOK_AGAIN_S = 1.0
log = logging.getLogger(__name__)


class UnusableTokenKeys(Exception):
    """The folder holds no usable keys; the message says what to do."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key with its id, the ``kid`` of tokens."""

    key_id: str
    private: Ed25519PrivateKey

    @classmethod
    def new(cls, now: datetime) -> TokenKey:
        """Return a random key."""
        return cls(f"{now.astimezone(UTC):{_TIME}}-{secrets.token_hex(8)}", Ed25519PrivateKey.generate())

    @property
    def made_at(self) -> datetime:
        """When it was made, to the second."""
        return _made_at(self.key_id)

    @property
    def signs_at(self) -> datetime:
        """From when on it signs, unless it is the only one."""
        return self.made_at + SIGNS_AFTER

    @property
    def public(self) -> Ed25519PublicKey:
        """The half that verifies."""
        return self.private.public_key()

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 8037)."""
        return {
            **OKPAlgorithm.to_jwk(self.public, as_dict=True),
            "kid": self.key_id,
            "alg": ALGORITHM,
            "use": "sig",
        }


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of a folder, oldest first, and the ids of the ones that were revoked."""

    keys: tuple[TokenKey, ...]
    revoked: frozenset[str] = frozenset()

    def signing(self, now: datetime) -> TokenKey:
        """Return the key that signs: the newest that everybody knows, else the oldest."""
        known = [key for key in self.keys if key.signs_at <= now]
        return known[-1] if known else self.keys[0]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JSON Web Key Set."""
        return {"keys": [key.jwk for key in self.keys]}

    def spent(self, ttl: timedelta, now: datetime) -> list[TokenKey]:
        """Return the keys that sign no more, and whose last tokens have expired.

        Args:
            ttl: lifetime of a token.
        """
        successors = zip(self.keys, self.keys[1:], strict=False)
        return [key for key, following in successors if following.signs_at + ttl < now]


class TokenKeys:
    """The keys in use, as the folder has them."""

    def __init__(self, read: Callable[[], KeySet]) -> None:
        self._read = read
        self._set = read()
        self._public = {key.key_id: key.public for key in self._set.keys}

    @classmethod
    def in_folder(cls, folder: Path) -> TokenKeys:
        """Read the keys of a folder. Raises UnusableTokenKeys, UnsafeFile."""
        return cls(lambda: read_keys(folder))

    @property
    def current(self) -> KeySet:
        """All keys."""
        return self._set

    def signing(self) -> TokenKey:
        """Return the key that signs now."""
        return self._set.signing(datetime.now(UTC))

    def public(self, key_id: str) -> Ed25519PublicKey | None:
        """Return the key that verifies tokens of this ``kid``; None: there is none."""
        return self._public.get(key_id)

    def is_revoked(self, key_id: str) -> bool:
        """Return whether the key was revoked, and with it what was opened with its tokens."""
        return key_id in self._set.revoked

    def reload(self) -> None:
        """Read the folder again. Raises UnusableTokenKeys, UnsafeFile: the keys stay as they were."""
        self._set = self._read()
        self._public = {key.key_id: key.public for key in self._set.keys}

    async def watch(self) -> None:
        """Follow the folder until cancelled."""
        failure = ""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                await asyncio.to_thread(self.reload)
                failure = ""
            except (UnusableTokenKeys, UnsafeFile, OSError) as error:
                if failure != (failure := str(error)):
                    log.error("the keys of tokens stay as they were: %s", error)


def read_keys(folder: Path) -> KeySet:
    """Return the keys of a folder. Raises UnusableTokenKeys, UnsafeFile."""
    names = _names(folder)
    revoked = frozenset(name.removesuffix(REVOKED_SUFFIX) for name in names if name.endswith(REVOKED_SUFFIX))
    ids = sorted(name.removesuffix(KEY_SUFFIX) for name in names if name.endswith(KEY_SUFFIX))
    found = (_read_key(folder, key_id) for key_id in ids if key_id not in revoked)
    keys = tuple(key for key in found if key is not None)
    if not keys:
        raise UnusableTokenKeys(f"{folder} holds no token key; make one with `meetra tokens rotate --keys {folder}`")
    return KeySet(keys, revoked)


def ensure_key(folder: Path, now: datetime) -> None:
    """Make the folder and a first key, if there is none. Raises UnusableTokenKeys, UnsafeFile."""
    if folder.is_symlink():
        raise UnsafeFile(f"{folder} is a link; move the folder that it leads to here")
    folder.mkdir(mode=0o700, exist_ok=True)
    if not any(name.endswith(KEY_SUFFIX) for name in _names(folder)):
        add_key(folder, now)


def add_key(folder: Path, now: datetime) -> TokenKey:
    """Write a new key to the folder, closed to others, and return it."""
    # The id orders keys by second.
    taken = {_made_at(name) for name in _names(folder)}
    while now.replace(microsecond=0) in taken:
        now += timedelta(seconds=1)
    key = TokenKey.new(now)
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(folder / f"{key.key_id}{KEY_SUFFIX}", pem.decode("ascii"))
    return key


def revoke_key(folder: Path, key_id: str, now: datetime) -> None:
    """Remove a key at once and remember that; another one is made if it was the last. Raises UnusableTokenKeys."""
    present = read_keys(folder)
    if key_id not in {key.key_id for key in present.keys}:
        raise UnusableTokenKeys(f"there is no key {key_id}; `meetra tokens list` prints those there are")
    if len(present.keys) == 1:
        add_key(folder, now)
    # First the note: whatever happens in between, the key does not count.
    write_private(folder / f"{key_id}{REVOKED_SUFFIX}", "")
    (folder / f"{key_id}{KEY_SUFFIX}").unlink(missing_ok=True)


def remove_spent(folder: Path, ttl: timedelta, now: datetime) -> Collection[str]:
    """Remove the keys whose last tokens have expired, and old notes of revoked ones; return the ids of the keys.

    Args:
        ttl: lifetime of a token.
    """
    present = read_keys(folder)
    spent = [key.key_id for key in present.spent(ttl, now)]
    for key_id in spent:
        (folder / f"{key_id}{KEY_SUFFIX}").unlink(missing_ok=True)
    for key_id in present.revoked:
        note = folder / f"{key_id}{REVOKED_SUFFIX}"
        if datetime.fromtimestamp(note.stat().st_mtime, UTC) + max(REVOKED_KEPT, ttl) < now:
            note.unlink(missing_ok=True)
    return spent


def _made_at(key_id: str) -> datetime:
    return datetime.strptime(key_id.partition("-")[0], _TIME).replace(tzinfo=UTC)


def _names(folder: Path) -> list[str]:
    """Return the names of keys and notes. Raises UnusableTokenKeys for a missing folder and for other files."""
    try:
        names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        raise UnusableTokenKeys(
            f"{folder} does not exist; make it with a key by `meetra tokens rotate --keys {folder}`"
        ) from None
    except OSError as error:
        raise UnusableTokenKeys(f"{folder} cannot be read as a folder of token keys ({error.strerror})") from None
    for name in names:
        stem = name.removesuffix(KEY_SUFFIX).removesuffix(REVOKED_SUFFIX)
        if stem == name or not _is_key_id(stem):
            raise UnusableTokenKeys(f"{folder / name} is no key that `meetra tokens rotate` made; move it elsewhere")
    return names


def _is_key_id(text: str) -> bool:
    try:
        return KEY_ID.fullmatch(text) is not None and bool(_made_at(text))
    except ValueError:
        return False


def _read_key(folder: Path, key_id: str) -> TokenKey | None:
    """Return a key; None if it was removed since the folder was listed. Raises UnusableTokenKeys, UnsafeFile."""
    path = folder / f"{key_id}{KEY_SUFFIX}"
    try:
        private = load_pem_private_key(read_private(path).encode(), None)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise UnusableTokenKeys(f"{path} is no Ed25519 private key in PEM; remove it, or restore it from a backup")
    return TokenKey(key_id, private)
