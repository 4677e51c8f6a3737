"""A tar archive that is made while it is sent: each file in turn, and a manifest of all at the end."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any

# Raised when a reader of version 1 would misread what is in an archive; files and fields may be added without.
SCHEMA_VERSION = 1
BLOCK = tarfile.BLOCKSIZE
# The list of files beyond this size is kept on disk: it grows with the number of meetings.
SPOOL_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024
README = """\
Everything of an organization, exported from Meetra.

manifest.json      at the end of the archive: schema, counts, size and SHA-256 of every other file.
                   An archive without it was cut off: export again.
organization.json  name, settings, quotas and what is used of them
users.json         users, as GET /api/users has them; no passwords
keys.json          API keys, as GET /api/keys has them; no secrets
voices.json        known voices, as GET /api/voices has them. Their embeddings are not here: they are
                   biometric data, and of no use to a system with another model
audit/             the audit log in parts, newest first: one event a line, as GET /api/organization/audit has it
meetings/<hash>/   one folder for each meeting, named by its file_hash
  meeting.json     its entry of GET /single-feature-api/meetings, how it was uploaded or held, and its audio files
  status.json      GET /single-feature-api/meeting/status
  answers/         every answer with include_details=true, named by the end of its path: transcription.json, ...
                   A meeting that is not ready has none
  corrections.json merges and splits of speakers, in their order; undone ones too
  recording.*      the recording as it was uploaded
  track-<n>.*      the audio of each source of a live meeting: .wav, .ogg (Opus)

Each meeting is as it was at one moment; meetings were read one after another. Those that were deleted meanwhile are
listed as "gone" in the manifest.
"""


class Archive:
    """The bytes of an archive, in order, and what was put into it."""

    def __init__(self, mtime: int) -> None:
        """
        Args:
            mtime: of all files, seconds since 1970.
        """
        self._mtime = mtime
        self._listed = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - closed with the archive
        self._files = 0
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """Release what it holds."""
        self._listed.close()

    def file(self, path: str, data: bytes) -> bytes:
        """Return the bytes of a file."""
        self._list(path, len(data), hashlib.sha256(data).hexdigest())
        return self._header(path, len(data)) + data + _padding(len(data))

    def document(self, path: str, value: object) -> bytes:
        """Return the bytes of a file of JSON."""
        return self.file(path, json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")

    async def stream(self, path: str, size: int, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a large file; ``chunks`` have ``size`` bytes in all."""
        digest = hashlib.sha256()
        yield self._header(path, size)
        async for chunk in chunks:
            digest.update(chunk)
            yield chunk
        self._list(path, size, digest.hexdigest())
        if padding := _padding(size):
            yield padding

    def end(self, facts: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield the manifest, which begins with ``facts``, and the end of the archive."""
        described = {"schema": "meetra-export", "version": SCHEMA_VERSION, **facts, "counts": dict(self.counts)}
        head = json.dumps(described, ensure_ascii=False, indent=1).encode().removesuffix(b"\n}") + b',\n "files": [\n'
        tail = b"\n ]\n}\n"
        size = len(head) + self._listed.tell() + len(tail)
        yield self._header("manifest.json", size) + head
        self._listed.seek(0)
        while data := self._listed.read(READ_BYTES):
            yield data
        # Two empty blocks end an archive.
        yield tail + _padding(size) + bytes(2 * BLOCK)

    def _list(self, path: str, size: int, digest: str) -> None:
        entry = json.dumps({"path": path, "size": size, "sha256": digest}, ensure_ascii=False)
        self._listed.write((",\n  " if self._files else "  ").encode() + entry.encode())
        self._files += 1

    def _header(self, path: str, size: int) -> bytes:
        facts = tarfile.TarInfo(path)
        facts.size, facts.mtime, facts.mode = size, self._mtime, 0o600
        # Pax has no limit of sizes, and is what tar programs of today read.
        return facts.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)
