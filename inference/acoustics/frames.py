"""Level, pitch and clipping of 20 ms frames, measured as audio arrives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models import SAMPLE_RATE_HZ, Samples
from inference.true_runs import true_runs

FRAME_SAMPLES = 320
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ
PITCH_WINDOW_SAMPLES = 640
# Range of the human voice, Hz.
MIN_PITCH_HZ, MAX_PITCH_HZ = 70.0, 400.0
# Share of a frame's energy that must repeat after one period for it to be voiced.
VOICED_CORRELATION = 0.55
# Quieter frames are not searched for a pitch.
MIN_VOICED_DBFS = -60.0
FLOOR_DBFS = -100.0
FULL_SCALE = 32767 / 32768
CLIPPED_RUN = 3
SEMITONE_ZERO_HZ = 55.0
_FFT = 2048
_WINDOW = np.hanning(PITCH_WINDOW_SAMPLES).astype(np.float32)


def _autocorrelation(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the autocorrelation of each row up to the longest period, shape (n, lags)."""
    power = np.abs(np.fft.rfft(windows, _FFT, axis=1)) ** 2
    max_period = int(SAMPLE_RATE_HZ / MIN_PITCH_HZ) + 2
    return np.asarray(np.fft.irfft(power, axis=1)[:, :max_period], np.float32)


_WINDOW_CORRELATION = _autocorrelation(_WINDOW[None])[0] / _autocorrelation(_WINDOW[None])[0, 0]


def levels_dbfs(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean power of each row in dBFS, at least -100. Shape (n, samples) -> (n,)."""
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10))), np.float32)


def pitches_semitones(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the pitch of each 40 ms row in semitones above 55 Hz; NaN where unvoiced. (n, 640) -> (n,).

    The highest peak between 70 and 400 Hz of the windowed signal's autocorrelation over that of the window (Boersma
    1993), refined by a parabola.
    """
    centred = windows - windows.mean(axis=1, keepdims=True)
    correlation = _autocorrelation(centred * _WINDOW)
    normal = correlation / (correlation[:, :1] + 1e-9) / _WINDOW_CORRELATION
    min_period = int(SAMPLE_RATE_HZ / MAX_PITCH_HZ)
    # Of equally good periods the shortest is the pitch: the others are its multiples.
    biased = normal[:, min_period:-1] - 0.0003 * np.arange(min_period, normal.shape[1] - 1)
    best = biased.argmax(axis=1) + min_period
    rows = np.arange(len(best))
    before, peak, after = normal[rows, best - 1], normal[rows, best], normal[rows, best + 1]
    bend = before - 2 * peak + after
    offset = np.where(np.abs(bend) > 1e-6, 0.5 * (before - after) / np.where(bend == 0, 1, bend), 0.0)
    hertz = SAMPLE_RATE_HZ / (best + np.clip(offset, -0.5, 0.5))
    voiced = (peak >= VOICED_CORRELATION) & (levels_dbfs(windows) >= MIN_VOICED_DBFS) & (peak >= before)
    return np.where(voiced, 12 * np.log2(hertz / SEMITONE_ZERO_HZ), np.nan).astype(np.float32)


def clipped_samples(samples: Samples) -> NDArray[np.bool_]:
    """Return which samples lie in runs of at least 3 at full scale. Shape (n,) -> (n,)."""
    full = np.abs(samples) >= FULL_SCALE
    if not full.any():
        return full
    clipped = np.zeros(len(samples), np.bool_)
    for start, end in true_runs(full):
        clipped[start:end] = end - start >= CLIPPED_RUN
    return clipped


class FrameAnalyzer:
    """The frames of one session: three numbers for each 20 ms (12 bytes), kept to its end."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)
        self._level: list[NDArray[np.float32]] = []
        self._pitch: list[NDArray[np.float32]] = []
        self._clipped: list[NDArray[np.float32]] = []

    def push(self, samples: Samples) -> None:
        """Process the next samples; a frame is measured once the 20 ms after it have arrived."""
        signal = np.concatenate([self._rest, samples])
        frames = (len(signal) - (PITCH_WINDOW_SAMPLES - FRAME_SAMPLES)) // FRAME_SAMPLES
        if frames > 0:
            self._measure(signal[: frames * FRAME_SAMPLES + PITCH_WINDOW_SAMPLES - FRAME_SAMPLES], frames)
            signal = signal[frames * FRAME_SAMPLES :]
        self._rest = signal.copy()

    def finish(self) -> None:
        """Measure the rest, padded with silence."""
        if len(self._rest):
            frames = -(-len(self._rest) // FRAME_SAMPLES)
            padded = np.zeros((frames + 1) * FRAME_SAMPLES, np.float32)
            padded[: len(self._rest)] = self._rest
            self._measure(padded, frames)
            self._rest = self._rest[:0]

    def _measure(self, samples: Samples, frames: int) -> None:
        body = samples[: frames * FRAME_SAMPLES].reshape(frames, FRAME_SAMPLES)
        windows = np.lib.stride_tricks.sliding_window_view(samples, PITCH_WINDOW_SAMPLES)[::FRAME_SAMPLES]
        self._level.append(levels_dbfs(body))
        self._pitch.append(pitches_semitones(np.ascontiguousarray(windows[:frames])))
        clipped = clipped_samples(samples)[: frames * FRAME_SAMPLES]
        self._clipped.append(clipped.reshape(frames, FRAME_SAMPLES).mean(axis=1).astype(np.float32))

    @property
    def level_dbfs(self) -> NDArray[np.float32]:
        """Level of each frame, dBFS, shape (frames,)."""
        return _concatenated(self._level)

    @property
    def pitch_semitones(self) -> NDArray[np.float32]:
        """Pitch of each frame in semitones above 55 Hz, NaN where unvoiced, shape (frames,)."""
        return _concatenated(self._pitch)

    @property
    def clipped_share(self) -> NDArray[np.float32]:
        """Share of clipped samples in each frame, 0..1, shape (frames,)."""
        return _concatenated(self._clipped)


def _concatenated(blocks: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len(blocks) > 1:
        blocks[:] = [np.concatenate(blocks)]
    return blocks[0] if blocks else np.zeros(0, np.float32)
