"""Chained Ogg: every link is heard, whatever its rate, channels and codec; what only looks like a link is none."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from server.media.ogg_links import find_ogg_links
from tests.server.media.media_files import Sound, heard, media, tone
from tests.server.media.transcoded import mixed, transcoded

LOW, HIGH = tone(440, 3), tone(1000, 3)
STEREO = np.stack([HIGH, HIGH], 1)
VORBIS = {"strict": "-2"}

LINKS = {
    "rate": (Sound([(0, LOW)], "flac", 44_100), Sound([(0, HIGH)], "flac", 22_050)),
    "rate of Vorbis": (
        Sound([(0, np.stack([LOW, LOW], 1))], "vorbis", 44_100, VORBIS),
        Sound([(0, STEREO)], "vorbis", 22_050, VORBIS),
    ),
    "channels": (Sound([(0, LOW)]), Sound([(0, STEREO)])),
    "codec": (Sound([(0, LOW)]), Sound([(0, HIGH)], "flac", 16_000)),
    "nothing": (Sound([(0, LOW)]), Sound([(0, HIGH)])),
}


@pytest.mark.parametrize("differs", LINKS)
def test_links_are_heard_one_after_the_other(differs: str) -> None:
    first, second = LINKS[differs]
    pcm = mixed(media("ogg", first) + media("ogg", second))
    assert heard(pcm, 440) == [pytest.approx((0, 3), abs=0.04)]
    assert heard(pcm, 1000) == [pytest.approx((3, 6), abs=0.08)]


def test_many_links_do_not_drift_apart() -> None:
    pcm = mixed(b"".join(media("ogg", Sound([(0, tone(hertz, 1))])) for hertz in (440, 1000) * 15))
    starts = [start for start, _ in heard(pcm, 440)]
    assert all(later - start == pytest.approx(2, abs=0.021) for start, later in pairwise(starts))
    assert len(pcm) == 30 * 16_000


def test_several_streams_in_each_link_stay_together() -> None:
    link = media("ogg", Sound([(0, LOW)]), Sound([(1, HIGH)]))
    outcome, (first, second) = transcoded(link + link, separate=True)
    assert heard(first, 440) == [pytest.approx((0, 3), abs=0.04), pytest.approx((4, 7), abs=0.04)]
    assert heard(second, 1000) == [pytest.approx((1, 4), abs=0.04), pytest.approx((5, 8), abs=0.04)]
    assert outcome.channel_count == 2


def test_a_link_that_is_cut_off_or_no_audio_costs_no_other() -> None:
    first, second = media("ogg", Sound([(0, LOW)])), media("ogg", Sound([(0, HIGH)]))
    for broken in (first[:200], first[: len(first) // 2]):
        _, (pcm,) = transcoded(broken + second)
        assert heard(pcm, 1000)[-1][1] - heard(pcm, 1000)[-1][0] == pytest.approx(3, abs=0.04)


def test_what_only_looks_like_a_beginning_is_none(tmp_path: Path) -> None:
    path = tmp_path / "one.ogg"
    whole = media("ogg", Sound([(0, LOW)]))
    path.write_bytes(whole + b"OggS\0\x02" * 1000 + b"OggS\0\x02" + bytes(20) + b"\xff" * 256)
    assert find_ogg_links(path) == []
    path.write_bytes(b"OggS\0\x02" * 100_000)
    assert find_ogg_links(path) == []
    path.write_bytes(whole * 3)
    assert find_ogg_links(path) == [(len(whole) * n, len(whole) * (n + 1)) for n in range(3)]
