"""Sequential writing of s16le mono 16 kHz files, with silence as sparse holes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from server.media.refusal import refuse_channels, refuse_length, refuse_total
from server.media.resampling import RATE_HZ, to_s16

BYTES_PER_SAMPLE = 2
BUFFER_BYTES = 1024 * 1024


def file_name(number: int) -> str:
    """Return the name of a folder's file, by its number from 1: known before the recording is."""
    return f"{number}.raw"


class Room:
    """What the files of a recording may take together, silence included."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._left = max_bytes, max_bytes

    def take(self, samples: int) -> None:
        """Take the room of ``samples`` samples. Raises Refused if there is none."""
        self._left -= samples * BYTES_PER_SAMPLE
        if self._left < 0:
            raise refuse_total(self._max_bytes)


class PcmFile:
    """One track's audio, being written to disk."""

    def __init__(self, path: Path, max_seconds: float, gain: float = 1.0, room: Room | None = None) -> None:
        """
        Args:
            max_seconds: maximum length, seconds.
            gain: factor that the samples are already multiplied by; ``level_dbfs`` reverts it.
            room: shared with the recording's other files; None for no limit.
        """
        self.path = path
        self.samples = 0
        self._gain = gain
        self._max_seconds = max_seconds
        self._limit = int(max_seconds * RATE_HZ)
        self._room = room
        self._energy = 0.0
        self._file = path.open("wb", buffering=BUFFER_BYTES)

    def write(self, chunk: NDArray[np.float32]) -> None:
        """Append float32 samples (n,), full scale -1..1. Raises Refused if the recording becomes too long or large."""
        self._advance(self.samples + len(chunk))
        with np.errstate(all="ignore"):
            pcm = to_s16(chunk)
        samples_f32 = pcm.astype(np.float32)
        self._energy += float(np.einsum("i,i->", samples_f32, samples_f32))
        self._file.write(pcm.tobytes())

    def silence_until(self, sample: int) -> None:
        """Extend the file with silence up to index ``sample``, if it is shorter. Raises Refused."""
        if sample > self.samples:
            self._advance(sample)
            self._file.seek(sample * BYTES_PER_SAMPLE)

    def close(self) -> None:
        """Flush and close the file."""
        self._file.truncate(self.samples * BYTES_PER_SAMPLE)
        self._file.close()

    @property
    def silent(self) -> bool:
        """Whether all samples are zero."""
        return not self._energy

    @property
    def level_dbfs(self) -> float | None:
        """Mean power before the gain, dBFS; None for digital silence."""
        if not self._energy:
            return None
        return 10 * math.log10(self._energy / self.samples) - 20 * math.log10(32768 * self._gain)

    def _advance(self, samples: int) -> None:
        if samples > self._limit:
            raise refuse_length(self._max_seconds)
        if self._room is not None:
            self._room.take(samples - self.samples)
        self.samples = samples


class PcmFolder:
    """The folder in which a recording's files are written."""

    def __init__(self, path: Path, max_seconds: float, max_files: int, max_bytes: int) -> None:
        """
        Args:
            max_seconds: maximum length of a file, seconds.
            max_bytes: maximum size of all files together, bytes.
        """
        self.path, self.max_seconds = path, max_seconds
        self._room = Room(max_bytes)
        self._max_files = max_files
        self._files = 0

    def new_file(self, gain: float) -> PcmFile:
        """Create an empty file. Raises Refused if there are too many."""
        if self._files == self._max_files:
            raise refuse_channels(self._max_files)
        self._files += 1
        return PcmFile(self.path / file_name(self._files), self.max_seconds, gain, self._room)
