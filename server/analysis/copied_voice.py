"""Which moments of a track carry the voice of another track's person, and no other.

A frame of the track is compared with the same moment of the others, each at the delay at which it fits best: how much
of the frame's energy do they explain together? Of a mix of people who have tracks of their own, nearly all, whatever
codecs are between; of another voice, hardly any.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.conversation import FRAME_US, Heard
from server.media import RATE_HZ, Samples

FRAME = FRAME_US * RATE_HZ // 1_000_000
"""Samples of a frame."""
MARGIN = 2 * FRAME
"""Samples before and after a frame that are needed to judge it: a quarter of a second alone says too little."""
MAX_DELAY = RATE_HZ // 2
"""Greatest delay between two tracks, either way, samples."""
# Share of a frame's energy that the others must explain. Measured on dialogues of four voices: copies in a mix through
# codecs 0.84 and more, an echo in a room with as much reverberation as direct sound 0.38 to 0.7; other voices at most
# 0.42, 0.15 in 95 of 100 frames. In a mix somebody without a track may speak as loud as the others: half is too little.
# Beside an echo, which is soft, the person of the track is louder. A segment is judged by most of its frames.
MIX_SHARE, ECHO_SHARE = 0.6, 0.4
# -60 dBFS; a quieter frame is silence.
SILENT_RMS = 32768 * 10 ** (-60 / 20)
# An echo is softer than the voice itself: of two microphones in one room, the louder one speaks for a voice.
ECHO_GAIN = 0.5
# So many others are compared with a frame, the loudest: few people speak at once.
MAX_COMPARED = 6
_WINDOW = 3 * FRAME


def judge_frames(track: Samples, others: Sequence[Samples], *, is_mix: bool) -> list[Heard]:
    """Judge consecutive frames of a track.

    Each frame lies in three windows: at its end, in its middle and at its start. It is a copy if, in one of them, the
    others explain the window and the frame itself: at a change of speakers the windows of one side hold one voice.

    Args:
        track: (2 * MARGIN + n * FRAME,) its samples at 16 kHz, from MARGIN before the first of ``n`` frames.
        others: (2 * MAX_DELAY + 2 * MARGIN + n * FRAME,) each: the same moments of tracks of single people, and
            MAX_DELAY more before and after.
        is_mix: whether the track carries several people; then any of the others' voices in it is a copy. A track of one
            person only carries echoes, which are softer.
    """
    count = (len(track) - 2 * MARGIN) // FRAME
    energies = [
        float(np.sum(np.square(track[begin : begin + FRAME], dtype=np.float64)))
        for begin in range(0, (count + 4) * FRAME, FRAME)
    ]
    heard = [Heard.NOTHING if energy < SILENT_RMS**2 * FRAME else Heard.OWN for energy in energies[2 : 2 + count]]
    share = MIX_SHARE if is_mix else ECHO_SHARE
    for window in range(count + 2):
        frames = [frame for frame in range(window - 2, window + 1) if 0 <= frame < count and heard[frame] == Heard.OWN]
        if not frames:
            continue
        begin, energy = window * FRAME, sum(energies[window : window + 3])
        x = track[begin : begin + _WINDOW].astype(np.float64)
        spans = [other[begin : begin + _WINDOW + 2 * MAX_DELAY].astype(np.float64) for other in others]
        residual = _residual(x, energy, spans, is_mix)
        if residual is None or float(residual.sum()) > (1 - share) * energy:
            continue
        for frame in frames:
            if residual[frame - window + 2] <= (1 - share) * energies[frame + 2]:
                heard[frame] = Heard.COPY
    return heard


def _residual(
    x: NDArray[np.float64], energy: float, spans: list[NDArray[np.float64]], is_mix: bool
) -> NDArray[np.float64] | None:
    """Return the energy of each frame of a window that the spans do not explain together; None if none of them fits."""
    # An echo needs a voice that is louder by as much.
    least = SILENT_RMS**2 * _WINDOW if is_mix else energy / ECHO_GAIN**2 * ECHO_SHARE
    loudest = sorted(
        ((float(np.einsum("i,i->", y, y)), index) for index, y in enumerate(spans)), key=lambda pair: -pair[0]
    )
    fitting = []
    transform: NDArray[np.complex128] | None = None
    size = 1 << (_WINDOW + 2 * MAX_DELAY - 1).bit_length()
    for loud, index in loudest[:MAX_COMPARED]:
        if loud < least:
            break
        y = spans[index]
        if transform is None:
            transform = np.conj(np.fft.rfft(x, size))
        products = np.fft.irfft(transform * np.fft.rfft(y, size), size)[: 2 * MAX_DELAY + 1]
        cumulated = np.concatenate([[0.0], np.cumsum(y * y)])
        energies = cumulated[_WINDOW:] - cumulated[: 2 * MAX_DELAY + 1]
        # Where almost nothing is left of a span, only rounding errors fit.
        energies = np.maximum(energies, max(float(energies.max()) * 1e-3, 1e-9))
        shift = int(np.argmax(np.abs(products) / np.sqrt(energies)))
        if is_mix or abs(products[shift]) / energies[shift] <= ECHO_GAIN:
            fitting.append(y[shift : shift + _WINDOW])
    if not fitting:
        return None
    columns = np.stack(fitting, axis=1)
    gains = np.linalg.lstsq(columns.T @ columns, columns.T @ x, rcond=None)[0]
    unexplained: NDArray[np.float64] = np.square(x - columns @ gains).reshape(3, FRAME).sum(axis=1)
    return unexplained
