"""Whether two files are the same recording, from beginning to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from server.media.similarity import LevelledFile, is_same_recording
from tests.recordings import RATE_HZ, sample_pcm, solo
from tests.server.media.media_files import Samples, Sound, media
from tests.server.media.transcoded import mixed

SPEECH = sample_pcm()[: 12 * RATE_HZ]
OTHER = solo("slt")[: 12 * RATE_HZ]


def same(folder: Path, a: Samples, b: Samples) -> bool:
    files = []
    for name, pcm in (("a", a), ("b", b)):
        (folder / name).write_bytes(pcm.astype("<i2").tobytes())
        files.append(LevelledFile(folder / name))
    first, second = files
    found = {is_same_recording(one, other, lambda: None) for one, other in ((first, second), (second, first))}
    assert len(found) == 1
    return found.pop()


COPIES = {
    "itself": SPEECH,
    "softer": SPEECH // 4,
    "upside down": -SPEECH,
    "later": np.concatenate([np.zeros(3000, np.int16), SPEECH[:-3000]]),
    "with more silence": np.concatenate([SPEECH, np.zeros(5 * RATE_HZ, np.int16)]),
    "through Opus": mixed(media("webm", Sound([(0, SPEECH)], "libopus", 48_000, {"b": "12000"}))),
    "through AAC": mixed(media("mp4", Sound([(0, SPEECH)], "aac", 44_100, {"b": "32000"}))),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_are_known(tmp_path: Path, copy: str) -> None:
    assert same(tmp_path, SPEECH, COPIES[copy])


DIFFERENT = {
    "somebody else": OTHER,
    "silence": np.zeros_like(SPEECH),
    "somebody else joins at the end": np.concatenate(
        [SPEECH[: 10 * RATE_HZ], SPEECH[10 * RATE_HZ :] + OTHER[: 2 * RATE_HZ]]
    ),
    "it goes on": np.concatenate([SPEECH, OTHER]),
    "it is cut": SPEECH[: 8 * RATE_HZ],
    "the other side, heard faintly": np.concatenate([SPEECH[: 6 * RATE_HZ] // 20, SPEECH[6 * RATE_HZ :]]),
}


@pytest.mark.parametrize("other", DIFFERENT)
def test_what_holds_something_of_its_own_is_no_copy(tmp_path: Path, other: str) -> None:
    assert not same(tmp_path, SPEECH, DIFFERENT[other])


def test_what_is_too_soft_to_be_heard_is_compared_sample_by_sample(tmp_path: Path) -> None:
    soft = np.random.default_rng(1).integers(-3, 4, RATE_HZ).astype(np.int16)
    assert same(tmp_path, soft, soft)
    assert not same(tmp_path, soft, soft[::-1])
    assert same(tmp_path, SPEECH[:0], SPEECH[:0])
