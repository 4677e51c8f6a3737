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
organization.json  name, settings, quotas and what is used of them; policy as GET /api/organization has it
users.json         users, as GET /api/users has them; no passwords
keys.json          API keys, as GET /api/keys has them; no secrets
voices.json        known voices, as GET /api/voices has them. Their embeddings are not here: they are
                   biometric data, and of no use to a system with another model
deletions/         receipts of deletions in parts, newest first: one a line, as GET /api/organization/deletions has it
audit/             the audit log in parts, newest first: one event a line, as GET /api/organization/audit has it
meetings/<hash>/   one folder for each meeting, named by its file_hash
  meeting.json     its entry of GET /single-feature-api/meetings, how it was uploaded or held, and its audio files;
                   "redact": the kinds that are redacted; "consent" and "retention" as GET .../meeting/consent and
                   GET .../meeting/retention have them; "left_out": what is not here, and why
  status.json      GET /single-feature-api/meeting/status
  answers/         every answer with include_details=true, named by the end of its path: transcription.json, ...
                   A meeting that is not ready has none; what retention deleted is not there
  corrections.json merges and splits of speakers, moved sentences and corrected words (with their times), in their
                   order; undone ones too
  recording.*      the recording as it was uploaded
  track-<n>.*      the audio of each source of a live meeting: .wav, .ogg or .webm (Opus)

Audio of a meeting with redaction is decoded (WAV, 16 kHz, mono), and silent where something was said that is not in the
transcript: recording.wav, or recording-<n>.wav for each channel that was analysed apart; track-<n>.wav, or
track-<n>-<channel>.wav. It is left out until the meeting is ready, and where it is not known what to silence.

Each meeting is as it was at one moment; meetings were read one after another. Those that were deleted meanwhile are
listed as "gone" in the manifest, and "left_out" there lists what is not in the archive of those that are.
"""


class Archive:
    """The bytes of an archive, in order, and what was put into it."""

    def __init__(self, mtime: int) -> None:
        """
        Args:
            mtime: of all files, seconds since 1970.
        """
        self._mtime = mtime
        self._listed, self._left_out = _Entries(), _Entries()
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """Release what it holds."""
        self._listed.close()
        self._left_out.close()

    def leave_out(self, meeting: str, what: str, reason: str) -> None:
        """Note in the manifest that something of a meeting is not in the archive, and why."""
        self.counts["left_out"] += 1
        self._left_out.add({"meeting": meeting, "what": what, "reason": reason})

    def pause(self) -> bytes:
        """Return bytes that say nothing, for a connection that must not be silent: a comment, as pax has it."""
        return tarfile.TarInfo.create_pax_global_header({"comment": "more is to come"})

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
        head = json.dumps(described, ensure_ascii=False, indent=1).encode().removesuffix(b"\n}")
        lists = {b',\n "left_out": [\n': self._left_out, b'\n ],\n "files": [\n': self._listed}
        tail = b"\n ]\n}\n"
        size = len(head) + sum(len(begins) + entries.size for begins, entries in lists.items()) + len(tail)
        yield self._header("manifest.json", size) + head
        for begins, entries in lists.items():
            yield begins
            yield from entries.read()
        # Two empty blocks end an archive.
        yield tail + _padding(size) + bytes(2 * BLOCK)

    def _list(self, path: str, size: int, digest: str) -> None:
        self._listed.add({"path": path, "size": size, "sha256": digest})

    def _header(self, path: str, size: int) -> bytes:
        facts = tarfile.TarInfo(path)
        facts.size, facts.mtime, facts.mode = size, self._mtime, 0o600
        # Pax has no limit of sizes, and is what tar programs of today read.
        return facts.tobuf(tarfile.PAX_FORMAT)


class _Entries:
    """The entries of a list of JSON, kept on disk where they are many."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - closed with the archive
        self.size = 0
        """Bytes."""

    def add(self, entry: Mapping[str, Any]) -> None:
        data = (",\n  " if self.size else "  ") + json.dumps(entry, ensure_ascii=False)
        self.size += self._file.write(data.encode())

    def read(self) -> Iterator[bytes]:
        self._file.seek(0)
        while data := self._file.read(READ_BYTES):
            yield data

    def close(self) -> None:
        self._file.close()


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)
