"""Downmixing of channels without losing any channel's content.

The mean of the channels suits recordings of people, except where channels cancel: a microphone with crossed wires
writes the right channel as the inverted left one, and their mean is silence. There the cancelling channel is inverted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Signs are decided per block of 0.1 s of track time, so that they do not depend on how the audio is split.
BLOCK = 1600
# Cross-fade between two sets of signs: 10 ms, too smooth for an audible click.
FADE = 160
# Share of two channels' energies that remains in their sum: below CANCELS (-13 dB) they cancel, above ADDS they do not.
# Unrelated channels have a share of 1.
CANCELS_BELOW, KEPT_ABOVE = 0.05, 0.5
# A channel below -80 dBFS has no content to lose.
AUDIBLE_ENERGY = BLOCK * 1e-8
# Pairs are compared among up to this many channels; more, which recordings of people do not have, are just averaged.
MAX_CHANNELS = 64


class Downmix:
    """Mix samples (n, channels) to (n,): the mean, with channels inverted that would otherwise be cancelled.

    The result does not depend on how the samples are split; up to 0.1 s is buffered. Audio whose channels never cancel
    comes out as the plain mean, bit for bit.
    """

    def __init__(self, channels: int) -> None:
        self._signs = np.ones(channels, np.float32)
        self._buffer: NDArray[np.float32] = np.zeros((0, channels), np.float32)
        self._watch = 1 < channels <= MAX_CHANNELS

    def __call__(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield the mix of all complete blocks."""
        if not self._watch:
            yield _mean(samples)
            return
        buffered = np.concatenate([self._buffer, samples]) if len(self._buffer) else samples
        end = len(buffered) - len(buffered) % BLOCK
        self._buffer = buffered[end:].copy()
        if end:
            yield self._mix(buffered[:end])

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """Yield the mix of the buffered rest."""
        if len(self._buffer):
            yield self._mix(self._buffer)
        self._buffer = self._buffer[:0]

    def _mix(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mix whole blocks, or the track's last, shorter span."""
        mean = _mean(samples)
        if samples.shape[1] == 2 and np.all(self._signs > 0) and _never_cancels(samples, mean):
            return mean
        padded = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1e6, 1e6)
        if len(padded) % BLOCK:
            padded = np.concatenate([padded, np.zeros((BLOCK - len(padded) % BLOCK, padded.shape[1]), np.float32)])
        blocks = padded.reshape(-1, BLOCK, padded.shape[1])
        shared = np.matmul(blocks.transpose(0, 2, 1), blocks)
        cancelling = _min_kept_share(shared, np.ones_like(self._signs)) < CANCELS_BELOW
        if np.all(self._signs > 0) and not cancelling.any():
            return mean
        for number, energies in enumerate(shared):
            signs = self._next_signs(energies, bool(cancelling[number]))
            part = slice(number * BLOCK, (number + 1) * BLOCK)
            if np.any(signs < 0) or np.any(self._signs < 0):
                mean[part] = _cross_fade(samples[part], self._signs, signs)
            self._signs = signs
        return mean

    def _next_signs(self, energies: NDArray[np.float32], cancelling: bool) -> NDArray[np.float32]:
        """Return the signs of the next block from its channel products, (channels, channels)."""
        plain = np.ones_like(self._signs)
        if np.all(self._signs > 0):
            return _align_signs(energies) if cancelling else plain
        audible = np.count_nonzero(np.diagonal(energies) >= AUDIBLE_ENERGY) > 1
        if audible and float(_min_kept_share(energies[None], plain)[0]) > KEPT_ABOVE:
            return plain
        if float(_min_kept_share(energies[None], self._signs)[0]) < CANCELS_BELOW:
            return _align_signs(energies)
        return self._signs


def _mean(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return samples[:, 0] if samples.shape[1] == 1 else np.asarray(samples.mean(axis=1), np.float32)


def _never_cancels(samples: NDArray[np.float32], mean: NDArray[np.float32]) -> bool:
    """Return whether two channels surely do not cancel in any block; cheaper than ``_min_kept_share``."""
    if len(samples) % BLOCK:
        return False
    summed = mean.reshape(-1, BLOCK)
    both = samples.reshape(-1, BLOCK * 2)
    with np.errstate(all="ignore"):
        left = 4 * np.einsum("ij,ij->i", summed, summed)
        return bool(np.all(left > KEPT_ABOVE * np.einsum("ij,ij->i", both, both)))


def _min_kept_share(shared: NDArray[np.float32], signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the smallest share of energy that the sum of any two channels keeps, 0..2, per block.

    Args:
        shared: products of channels, (blocks, channels, channels).
        signs: the channels' signs, (channels,).

    It is 1 where fewer than two channels are audible.
    """
    own = np.diagonal(shared, axis1=1, axis2=2)
    both = own[:, :, None] + own[:, None, :]
    kept = both + 2 * shared * signs[:, None] * signs[None, :]
    loud = (own[:, :, None] >= AUDIBLE_ENERGY) & (own[:, None, :] >= AUDIBLE_ENERGY)
    share = np.where(loud, kept / np.maximum(both, AUDIBLE_ENERGY), 1.0)
    first, second = np.triu_indices(shared.shape[1], 1)
    return np.asarray(share[:, first, second].min(axis=1), np.float32)


def _align_signs(energies: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return signs with which no channel cancels louder ones: each is aligned with the sum of those before it."""
    signs = np.ones(len(energies), np.float32)
    order = np.argsort(-np.diagonal(energies), kind="stable")
    for rank, channel in enumerate(order[1:], start=1):
        before = order[:rank]
        if float(np.dot(energies[channel, before], signs[before])) < 0:
            signs[channel] = -1
    # Invert as few channels as possible, and never the first.
    return signs if signs[0] > 0 else -signs


def _cross_fade(
    samples: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32]
) -> NDArray[np.float32]:
    mixed = _mean(samples * after)
    if np.any(before != after):
        length = min(FADE, len(samples))
        weight = (np.arange(length, dtype=np.float32) + 1) / np.float32(FADE)
        mixed[:length] = (1 - weight) * _mean(samples[:length] * before) + weight * mixed[:length]
    return mixed
