"""What the decoder makes of a file, without a child process for each."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from server.media.transcode import Outcome, transcode
from tests.server.media.media_files import Samples


def transcoded(data: bytes, *, separate: bool = False, limit_s: float = 600) -> tuple[Outcome, list[Samples]]:
    """The outcome of a file, and each track's samples. Raises Refused."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "original"
        source.write_bytes(data)
        outcome = transcode(source, folder, limit_s, separate=separate, progress=lambda _: None)
        tracks = [np.fromfile(folder / track.file, "<i2") for track in outcome.tracks]
        assert [len(track) for track in tracks] == [track.samples for track in outcome.tracks]
        left = {path.name for path in folder.glob("*.raw")}
        assert left == {track.file for track in outcome.tracks}
        return outcome, tracks


def mixed(data: bytes, *, limit_s: float = 600) -> Samples:
    """The one track of a file that is not damaged."""
    outcome, (track,) = transcoded(data, limit_s=limit_s)
    assert not outcome.damaged
    return track
