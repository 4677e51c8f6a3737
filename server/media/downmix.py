"""Several channels to one, so that nothing that a channel holds is lost.

The mean of the channels is what a recording of people needs, but where channels cancel: a microphone whose wires are
crossed writes the right channel as the left one's opposite, and their mean is silence. There the sign of the channel
that cancels is turned.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Signs are decided for blocks of 0.1 s of the track's own time, so that they do not depend on how the audio is cut.
BLOCK = 1600
# From one choice of signs to another: 10 ms, in which no click is heard.
FADE = 160
# Two channels cancel where their sum has less than this of their energies (-13 dB; of unlike ones it has all), and do
# no more where it has more than the other.
CANCELS, ADDS = 0.05, 0.5
# A channel below -80 dBFS has nothing to lose.
HEARD_ENERGY = BLOCK * 1e-8
# Pairs are looked at among so many channels; of more, which no recorder of people has, all are one sum.
MAX_CHANNELS = 64


class Downmix:
    """Samples (n, channels) to (n,): their mean, with the signs turned of channels that would be lost in it.

    What comes out does not depend on how the samples are cut; up to 0.1 s is kept inside. Audio whose channels never
    cancel comes out as the plain mean, bit for bit.
    """

    def __init__(self, channels: int) -> None:
        self._signs = np.ones(channels, np.float32)
        self._kept: NDArray[np.float32] = np.zeros((0, channels), np.float32)
        self._watch = 1 < channels <= MAX_CHANNELS

    def __call__(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """The mean as far as it is decided."""
        if not self._watch:
            yield _mean(samples)
            return
        whole = np.concatenate([self._kept, samples]) if len(self._kept) else samples
        end = len(whole) - len(whole) % BLOCK
        self._kept = whole[end:].copy()
        if end:
            yield self._mixed(whole[:end])

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """What is still inside."""
        if len(self._kept):
            yield self._mixed(self._kept)
        self._kept = self._kept[:0]

    def _mixed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mix of whole blocks, or of the last piece of the track."""
        mean = _mean(samples)
        if samples.shape[1] == 2 and np.all(self._signs > 0) and _adds_up(samples, mean):
            return mean
        padded = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1e6, 1e6)
        if len(padded) % BLOCK:
            padded = np.concatenate([padded, np.zeros((BLOCK - len(padded) % BLOCK, padded.shape[1]), np.float32)])
        blocks = padded.reshape(-1, BLOCK, padded.shape[1])
        shared = np.matmul(blocks.transpose(0, 2, 1), blocks)
        cancelling = _least_left(shared, np.ones_like(self._signs)) < CANCELS
        if np.all(self._signs > 0) and not cancelling.any():
            return mean
        for number, energies in enumerate(shared):
            signs = self._next_signs(energies, bool(cancelling[number]))
            part = slice(number * BLOCK, (number + 1) * BLOCK)
            if np.any(signs < 0) or np.any(self._signs < 0):
                mean[part] = _faded(samples[part], self._signs, signs)
            self._signs = signs
        return mean

    def _next_signs(self, energies: NDArray[np.float32], cancelling: bool) -> NDArray[np.float32]:
        """The signs of a block, by the energies (channels, channels) of its channels and pairs."""
        plain = np.ones_like(self._signs)
        if np.all(self._signs > 0):
            return _aligned(energies) if cancelling else plain
        heard = np.count_nonzero(np.diagonal(energies) >= HEARD_ENERGY) > 1
        if heard and float(_least_left(energies[None], plain)[0]) > ADDS:
            return plain
        if float(_least_left(energies[None], self._signs)[0]) < CANCELS:
            return _aligned(energies)
        return self._signs


def _mean(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return samples[:, 0] if samples.shape[1] == 1 else np.asarray(samples.mean(axis=1), np.float32)


def _adds_up(samples: NDArray[np.float32], mean: NDArray[np.float32]) -> bool:
    """True where two channels are known not to cancel in any block: quicker than asking how much is left."""
    if len(samples) % BLOCK:
        return False
    summed = mean.reshape(-1, BLOCK)
    both = samples.reshape(-1, BLOCK * 2)
    with np.errstate(all="ignore"):
        left = 4 * np.einsum("ij,ij->i", summed, summed)
        return bool(np.all(left > ADDS * np.einsum("ij,ij->i", both, both)))


def _least_left(shared: NDArray[np.float32], signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each block (blocks, channels, channels) the least share of energy that the sum of a pair keeps, 0..2; 1 where
    fewer than two channels are heard."""
    own = np.diagonal(shared, axis1=1, axis2=2)
    both = own[:, :, None] + own[:, None, :]
    kept = both + 2 * shared * signs[:, None] * signs[None, :]
    loud = (own[:, :, None] >= HEARD_ENERGY) & (own[:, None, :] >= HEARD_ENERGY)
    share = np.where(loud, kept / np.maximum(both, HEARD_ENERGY), 1.0)
    first, second = np.triu_indices(shared.shape[1], 1)
    return np.asarray(share[:, first, second].min(axis=1), np.float32)


def _aligned(energies: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signs with which no channel cancels what louder ones hold: each is turned to what those before it add up to."""
    signs = np.ones(len(energies), np.float32)
    order = np.argsort(-np.diagonal(energies), kind="stable")
    for place, channel in enumerate(order[1:], start=1):
        before = order[:place]
        if float(np.dot(energies[channel, before], signs[before])) < 0:
            signs[channel] = -1
    # As few as possible are turned, and the first channel is not.
    return signs if signs[0] > 0 else -signs


def _faded(
    samples: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32]
) -> NDArray[np.float32]:
    mixed = _mean(samples * after)
    if np.any(before != after):
        length = min(FADE, len(samples))
        weight = (np.arange(length, dtype=np.float32) + 1) / np.float32(FADE)
        mixed[:length] = (1 - weight) * _mean(samples[:length] * before) + weight * mixed[:length]
    return mixed
