"""Unpacking a ``.nemo`` archive: a tar, optionally gzipped, of one configuration, weights and tokenizers.

Headers are parsed here, not by ``tarfile``: only the few members of a checkpoint are ever written, and no claimed size
is trusted before its bytes have arrived.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from pathlib import Path
from typing import IO, cast

from inference.models import ModelCorrupt

CONFIG = "model_config.yaml"
WEIGHTS = "model_weights.ckpt"
MAX_MEMBERS = 256
MAX_CONFIG_BYTES = 2 * 1024**2
# The maximum of a plain header; the largest published checkpoints have 5 GB.
MAX_WEIGHTS_BYTES = 8 * 1024**3 - 1
MAX_TOKENIZER_BYTES = 16 * 1024**2

_BLOCK = tarfile.BLOCKSIZE
_COPY_BYTES = 1024**2
_MAX_EXTENSION_BYTES = 64 * 1024
_TOKENIZER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(?:model|vocab|txt)")
# Fields an extended header must not set: they would override the plain header that is checked here.
_OVERRIDES = re.compile(rb"^\d+ (?:path|linkpath|size|GNU\.sparse[^=]*)=", re.MULTILINE)
_EXTENSIONS = (tarfile.XHDTYPE, tarfile.XGLTYPE)


def unpack(path: Path, folder: Path) -> frozenset[str]:
    """Write the members of an archive into ``folder``, which must be empty.

    Returns:
        Their names: CONFIG, WEIGHTS and those of tokenizer files.

    Raises:
        ModelCorrupt: the file is truncated, is no such archive, or holds a member that no checkpoint needs: outside its
            folder, a link, a device, too large, of an unknown name, or a duplicate.
    """
    try:
        with path.open("rb") as raw:
            gzipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            names = _unpack(cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if gzipped else raw, path.name, folder)
    except (OSError, EOFError, zlib.error, tarfile.HeaderError) as error:
        raise ModelCorrupt(f"{path.name} cannot be read as a .nemo archive: {error}; download it again") from error
    for needed in (CONFIG, WEIGHTS):
        if needed not in names:
            raise ModelCorrupt(f"{path.name} holds no {needed}: it is not a NeMo checkpoint, or is truncated")
    return frozenset(names)


def _unpack(file: IO[bytes], archive: str, folder: Path) -> set[str]:
    names: set[str] = set()
    headers = 0
    while (header := _read_exactly(file, _BLOCK, archive, "its list of members")).strip(b"\0"):
        headers += 1
        if headers > MAX_MEMBERS:
            raise ModelCorrupt(f"{archive} holds more than {MAX_MEMBERS} members; no NeMo checkpoint does")
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if member.type in _EXTENSIONS:
            _skip_extension(file, archive, member)
        elif not (member.isdir() and member.name in (".", "./", "")):
            name = _checked_name(member, archive, names)
            _write(file, archive, folder / name, member.size)
            names.add(name)
    return names


def _checked_name(member: tarfile.TarInfo, archive: str, seen: set[str]) -> str:
    name = member.name.removeprefix("./")
    if not member.isreg():
        raise ModelCorrupt(
            f"{archive}: member {member.name!r} is not a plain file; NeMo checkpoints have only plain files"
        )
    if name == CONFIG:
        limit = MAX_CONFIG_BYTES
    elif name == WEIGHTS:
        limit = MAX_WEIGHTS_BYTES
    elif _TOKENIZER.fullmatch(name):
        limit = MAX_TOKENIZER_BYTES
    else:
        raise ModelCorrupt(
            f"{archive}: member {member.name!r} is neither {CONFIG}, {WEIGHTS} nor a tokenizer's file beside them"
        )
    if not 0 <= member.size <= limit:
        raise ModelCorrupt(f"{archive}: member {name} claims {member.size} bytes; at most {limit} are read")
    if name in seen:
        raise ModelCorrupt(f"{archive}: member {name} occurs twice")
    return name


def _skip_extension(file: IO[bytes], archive: str, member: tarfile.TarInfo) -> None:
    if not 0 <= member.size <= _MAX_EXTENSION_BYTES:
        raise ModelCorrupt(f"{archive}: an extended header claims {member.size} bytes")
    content = _read_exactly(file, _padded(member.size), archive, "an extended header")
    if _OVERRIDES.search(content):
        raise ModelCorrupt(f"{archive}: an extended header renames or resizes a member; no NeMo checkpoint needs that")


def _write(file: IO[bytes], archive: str, target: Path, size: int) -> None:
    with target.open("xb") as out:
        remaining = size
        while remaining:
            remaining -= out.write(_read_exactly(file, min(remaining, _COPY_BYTES), archive, target.name))
    _read_exactly(file, _padded(size) - size, archive, target.name)


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _read_exactly(file: IO[bytes], count: int, archive: str, what: str) -> bytes:
    content = file.read(count)
    if len(content) != count:
        raise ModelCorrupt(f"{archive} ends in the middle of {what}: it is truncated; download it again")
    return content
