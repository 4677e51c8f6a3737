"""Channels to one: the plain mean, but where they cancel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from server.media.downmix import Downmix
from tests.recordings import RATE_HZ, sample_pcm, solo

Floats = NDArray[np.floating]
RMS = solo("rms")[: 4 * RATE_HZ].astype(np.float32) / 32768
SLT = solo("slt")[: 4 * RATE_HZ].astype(np.float32) / 32768


def mixed(channels: Floats, cut: int = 10**9) -> Floats:
    downmix = Downmix(channels.shape[1])
    single = channels.astype(np.float32)
    parts = [part for at in range(0, len(single), cut) for part in downmix(single[at : at + cut])]
    return np.concatenate([*parts, *downmix.flush()])


def energy(samples: Floats) -> float:
    return float(np.dot(samples, samples))


ORDINARY: dict[str, Floats] = {
    "one voice in the middle": np.stack([RMS, RMS], 1),
    "one side": np.stack([RMS, np.zeros_like(RMS)], 1),
    "a call": np.stack([RMS, SLT], 1),
    "partly against each other": np.stack([RMS, SLT - 0.4 * RMS], 1),
    "a room": np.stack([RMS + 0.3 * SLT, np.roll(RMS, 40) * 0.7 + 0.5 * SLT], 1),
    "silence": np.zeros((RATE_HZ, 2), np.float32),
    "six": np.stack([RMS, SLT, RMS * 0.5, np.zeros_like(RMS), np.roll(SLT, 300), np.roll(RMS, 999)], 1),
    "one channel": RMS[:, None],
}


@pytest.mark.parametrize("kind", ORDINARY)
def test_channels_that_do_not_cancel_are_the_plain_mean_bit_for_bit(kind: str) -> None:
    assert np.array_equal(mixed(ORDINARY[kind]), ORDINARY[kind].mean(axis=1))


CANCELLING: dict[str, Floats] = {
    "opposite": np.stack([RMS, -RMS], 1),
    "opposite and softer": np.stack([RMS, -0.8 * RMS], 1),
    "two pairs": np.stack([RMS, -RMS, SLT, -SLT], 1),
    "a pair beside another voice": np.stack([RMS, -RMS, SLT], 1),
}


@pytest.mark.parametrize("kind", CANCELLING)
def test_channels_that_cancel_are_heard(kind: str) -> None:
    channels = CANCELLING[kind]
    assert abs(np.corrcoef(mixed(channels), RMS)[0, 1]) > 0.6
    share = 1.7 if kind.startswith("opposite") else 0.9
    assert energy(mixed(channels)) > share * sum(map(energy, channels.T)) / channels.shape[1] ** 2


def test_what_comes_out_does_not_depend_on_how_it_is_cut() -> None:
    channels = np.concatenate([ORDINARY["a call"], CANCELLING["opposite"], ORDINARY["one voice in the middle"]])
    whole = mixed(channels)
    for cut in (1, 7, 160, 1600, 1601, 50_000):
        part = channels if cut > 100 else channels[3 * RATE_HZ : 5 * RATE_HZ]
        assert np.array_equal(mixed(part, cut), mixed(part))
    assert len(whole) == len(channels)


def test_signs_turn_without_a_click_and_turn_back() -> None:
    time = np.arange(4 * RATE_HZ) / RATE_HZ
    sine = (0.5 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)
    right = np.where((time >= 1) & (time < 2), -sine, sine)
    found = mixed(np.stack([sine, right], 1))
    assert np.array_equal(found[:RATE_HZ], sine[:RATE_HZ])
    assert np.array_equal(found[2 * RATE_HZ + 1600 :], sine[2 * RATE_HZ + 1600 :])
    assert np.abs(np.diff(found)).max() < 1.2 * np.abs(np.diff(sine)).max()
    assert energy(found[RATE_HZ : 2 * RATE_HZ]) > 0.95 * energy(sine[RATE_HZ : 2 * RATE_HZ])


def test_what_is_no_number_is_nobodys_sign() -> None:
    channels = np.stack([RMS, -RMS], 1)
    channels[100, 0], channels[200, 1], channels[300] = np.nan, np.inf, -np.inf
    found = mixed(channels)
    assert np.isfinite(found[1600:]).all()
    assert np.corrcoef(found[1600:], RMS[1600:])[0, 1] > 0.99


def test_a_recording_of_people_is_not_touched() -> None:
    meeting = sample_pcm().astype(np.float32) / 32768
    room = np.stack([meeting, np.roll(meeting, 13) * 0.8 + np.roll(meeting, 400) * 0.3], 1)
    assert np.array_equal(mixed(room), room.mean(axis=1))
