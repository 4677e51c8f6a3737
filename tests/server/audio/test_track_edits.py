"""Edits of a track: every reader hears the same, however the audio comes, and a crash leaves none behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from server.audio import AudioEditor, Edit, TrackEdits, append_edits, edited_length, read_edits, recover_edits
from server.audio.track_edits import PIECE_SAMPLES, edits_path

RATE_HZ = 16_000
# Samples at most this far apart, and up to this much inserted or left out.
edits_of = st.lists(st.tuples(st.integers(0, 60), st.integers(-40, 70).filter(bool), st.booleans()), max_size=12).map(
    lambda found: [Edit(sum(step for step, _, _ in found[: n + 1]), *found[n][1:]) for n in range(len(found))]
)


def edited(recorded: NDArray[np.int16], edits: list[Edit]) -> NDArray[np.int16]:
    """What is heard, sample by sample."""
    heard, left_out = [], 0
    for position, sample in enumerate(recorded):
        for edit in edits:
            if edit.position == position:
                heard += [0] * max(0, edit.silence)
                left_out += max(0, -edit.silence)
        if left_out:
            left_out -= 1
        else:
            heard.append(int(sample))
    return np.array(heard, np.int16)


@given(edits_of, st.integers(0, 400), st.lists(st.integers(1, 90), max_size=8))
def test_what_is_heard_does_not_depend_on_how_audio_comes(edits: list[Edit], count: int, sizes: list[int]) -> None:
    recorded = np.arange(1, count + 1, dtype=np.int16)
    editor, heard, position = AudioEditor(TrackEdits(RATE_HZ, edits)), [np.zeros(0, np.int16)], 0
    for size in [*sizes, count]:
        heard += editor.pieces(recorded[position : position + size])
        position = min(count, position + size)
    expected = edited(recorded, edits)
    np.testing.assert_array_equal(np.concatenate(heard), expected)
    assert edited_length(count, [edit for edit in edits if edit.position < count]) == len(expected)


@given(edits_of.map(lambda edits: [edit._replace(silence=abs(edit.silence)) for edit in edits]), st.integers(0, 900))
def test_silence_that_is_filled_in_is_told_from_what_was_recorded(edits: list[Edit], sample: int) -> None:
    heard = edited(np.arange(1, 1001, dtype=np.int16), edits)
    assert TrackEdits(RATE_HZ, edits).recorded_before(sample) == np.count_nonzero(heard[:sample])


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 48_000])
def test_rounding_to_16_khz_does_not_add_up(rate_hz: int) -> None:
    edits = TrackEdits(rate_hz, [Edit(7 * n, 5, True) for n in range(1, 1001)])
    length = (7000 + edits.net) * RATE_HZ // rate_hz
    assert edits.counted == edits.net == 5000
    heard = sum(map(len, AudioEditor(edits).pieces(np.ones(7000 * RATE_HZ // rate_hz + 1, np.int16))))
    assert abs(heard - length) <= 2


def test_silence_after_a_cut_is_found_also_if_the_resampler_held_the_last_samples_back() -> None:
    edits = TrackEdits(RATE_HZ, [Edit(16_000, 8000, True), Edit(48_000, 320_000, False), Edit(48_000, -160, False)])
    expected = {0: 0, 14_000: 14_000, 16_000: 24_000, 20_000: 24_000, 24_000: 24_000, 30_000: 30_000}
    expected |= {55_000: 376_000, 56_000: 376_000, 300_000: 376_000, 380_000: 380_000}
    assert {sample: edits.silence_end(sample) for sample in expected} == expected


def test_hours_of_silence_come_in_pieces_of_one_memory() -> None:
    edits = TrackEdits(RATE_HZ, [Edit(3, 12 * 3600 * RATE_HZ, True)])
    pieces = list(AudioEditor(edits).pieces(np.ones(5, np.int16)))
    assert sum(map(len, pieces)) == 12 * 3600 * RATE_HZ + 5
    assert max(map(len, pieces)) == PIECE_SAMPLES
    assert len({piece.__array_interface__["data"] for piece in pieces[1:-1]}) == 1


def test_a_crash_leaves_no_edit_without_audio_after_it(tmp_path: Path) -> None:
    log = tmp_path / "track-0.log"
    edits_path(log).touch()
    append_edits(log, [Edit(10, 5, True), Edit(10, -3, False)])
    append_edits(log, [Edit(20, 7, True)])
    with edits_path(log).open("ab") as file:
        file.write(b"21 9")
    assert read_edits(log, 21) == [Edit(10, 5, True), Edit(10, -3, False), Edit(20, 7, True)]
    assert read_edits(log, 20) == [Edit(10, 5, True), Edit(10, -3, False)]
    recovered = recover_edits(log, RATE_HZ, 20)
    assert (recovered.net, recovered.counted, recovered.pauses) == (2, 5, 1)
    append_edits(log, [Edit(20, 8, True)])
    assert read_edits(log) == [Edit(10, 5, True), Edit(10, -3, False), Edit(20, 8, True)]


def test_a_log_without_edits_has_none(tmp_path: Path) -> None:
    assert read_edits(tmp_path / "track-0.log", 100) == []
    assert recover_edits(tmp_path / "track-0.log", None, 100).all == []
    with pytest.raises(FileNotFoundError):
        append_edits(tmp_path / "deleted.log", [Edit(0, 1, True)])
