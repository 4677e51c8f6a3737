"""Bytes that are missing from a file are told from a recorder's pause: both are silence, and one is damage."""

from __future__ import annotations

import numpy as np
import pytest

from server.media.file_kind import MATROSKA
from tests.server.media.media_files import Sound, blocks_of, heard, media, timed_matroska, tone
from tests.server.media.transcoded import mixed, transcoded

LONG = tone(440, 30)
PAUSED = [(0, tone(440, 10)), (20, tone(440, 10))]
CLUSTER = b"\x1f\x43\xb6\x75"
LIVE = {"live": "1"}
KINDS = [
    ("matroska", Sound([(0, LONG)]), {}),
    ("webm", Sound([(0, LONG)]), LIVE),
    ("matroska", Sound([(0, LONG)], "pcm_s16le", 16_000), {}),
    ("ogg", Sound([(0, LONG)]), {}),
    ("ogg", Sound([(0, LONG)], "flac", 16_000), {}),
    ("flac", Sound([(0, LONG)], "flac", 16_000), {}),
]
NOISE = np.random.default_rng(20261128).bytes(1024)


def with_hole(data: bytes, how: str) -> bytes:
    """Without what lies in the middle, or with something else there."""
    first, end = len(data) * 2 // 5, len(data) * 3 // 5
    filling = {"zeros": bytes(end - first), "noise": NOISE * ((end - first) // len(NOISE)), "nothing": b""}[how]
    return data[:first] + filling + data[end:]


@pytest.mark.parametrize("how", ["zeros", "noise", "nothing"])
@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_hole_is_damage_and_what_comes_after_it_keeps_its_time(kind: int, how: str) -> None:
    container, sound, options = KINDS[kind]
    whole = media(container, sound, options=options)
    outcome, (pcm,) = transcoded(with_hole(whole, how))
    assert outcome.damaged
    spans = heard(pcm, 440)
    assert spans[0][0] == pytest.approx(0, abs=0.1)
    assert spans[-1][1] == pytest.approx(30, abs=0.1)
    assert 20 < sum(end - start for start, end in spans) < 26
    assert not transcoded(whole)[0].damaged


def test_a_cluster_that_is_cut_out_whole_is_missed_where_the_file_states_its_size() -> None:
    data = media("matroska", Sound([(0, LONG)]))
    first = data.find(CLUSTER, data.find(CLUSTER) + 4)
    second = data.find(CLUSTER, first + 4)
    outcome, (pcm,) = transcoded(data[:first] + data[second:])
    assert outcome.damaged
    assert len(heard(pcm, 440)) == 2


def test_the_last_clusters_are_missed_where_the_file_states_its_length() -> None:
    data = media("matroska", Sound([(0, LONG)]))
    last = data.rfind(CLUSTER, 0, data.rfind(CLUSTER))
    outcome, (pcm,) = transcoded(data[:last] + bytes(len(data) - last))
    assert outcome.damaged
    assert heard(pcm, 440)[-1][1] < 29


@pytest.mark.parametrize(("container", "options"), [("matroska", {}), ("webm", LIVE), ("ogg", {})])
def test_a_pause_of_the_recorder_is_no_damage(container: str, options: dict[str, str]) -> None:
    pcm = mixed(media(container, Sound(PAUSED), options=options))
    assert heard(pcm, 440) == [pytest.approx((0, 10), abs=0.1), pytest.approx((20, 30), abs=0.1)]


def test_a_recording_that_was_broken_off_in_a_pause_is_no_damage() -> None:
    data = media("webm", Sound(PAUSED), options=LIVE)
    for cut in (1, 2, 7, 150):
        mixed(data[:-cut])


def test_sound_that_ends_before_the_pictures_is_no_damage() -> None:
    mixed(media("matroska", Sound([(0, tone(440, 2))]), picture=(0, 6)))


def test_elements_that_nobody_needs_are_no_damage() -> None:
    void = b"\xec\x84abcd"
    plain = timed_matroska(blocks_of(tone(440, 2), lambda number, time_s: time_s + (number > 50)))
    at = plain.find(CLUSTER)
    assert len(heard(mixed(plain), 440)) == 2
    # The segment states its size in eight bytes.
    size_at = plain.find(b"\x18\x53\x80\x67") + 4
    size = int.from_bytes(plain[size_at : size_at + 8], "big") + len(void)
    padded = plain[:size_at] + size.to_bytes(8, "big") + plain[size_at + 8 : at] + void + plain[at:]
    assert np.array_equal(mixed(padded), mixed(plain))
    assert padded.startswith(MATROSKA)
