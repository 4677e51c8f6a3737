"""Ways of a voice to a recording: rooms, microphones, noise, telephones and codecs, simulated."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
from av.audio.stream import AudioStream
from scipy.signal import butter, firwin2, sosfilt

from benchmarks.recordings import RATE_HZ, Samples, read_samples, reverberated, temporary_folder
from benchmarks.sounds import made

TELEPHONE_HZ = (300.0, 3400.0)
TELEPHONE_RATE_HZ = 8000
# A microphone's response is drawn for each octave from 125 Hz on, with this standard deviation.
RESPONSE_DB = 5.0
RESPONSE_TAPS = 255
Condition = Callable[[Samples, int], Samples]


def as_loud(samples: Samples, other: Samples) -> Samples:
    """At the mean power of another."""
    powers = [float(np.square(one, dtype=np.float64).mean()) for one in (samples, other)]
    return np.asarray(samples * np.sqrt(powers[1] / max(powers[0], 1e-12)), np.float32)


def noisy(samples: Samples, db: float, seed: int = 0) -> Samples:
    """In pink noise so far under it."""
    noise = made("pink hiss", len(samples) / RATE_HZ + 1).samples
    noise = as_loud(np.roll(noise, 7919 * seed)[: len(samples)], samples)
    return np.asarray(np.clip(samples + noise * 10 ** (-db / 20), -1, 1), np.float32)


def quieter(samples: Samples, db: float) -> Samples:
    """So much quieter, in 16 bits."""
    return np.asarray(np.round(samples * 32768 * 10 ** (-db / 20)) / 32768, np.float32)


def far(samples: Samples, t60_s: float, seed: int = 0) -> Samples:
    """Through a room whose echo is as loud as the voice itself, at the level of the voice."""
    return as_loud(reverberated(samples, t60_s, seed), samples)


def band_limited(samples: Samples, low_hz: float, high_hz: float) -> Samples:
    """Nothing but these frequencies."""
    return np.asarray(sosfilt(butter(4, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos"), samples), np.float32)


def coloured(samples: Samples, seed: int) -> Samples:
    """By a microphone that favours some frequencies."""
    octaves_hz = 125.0 * 2 ** np.arange(7)
    gains_db = np.random.default_rng(seed).normal(0, RESPONSE_DB, len(octaves_hz))
    frequencies_hz = np.linspace(0, RATE_HZ / 2, 65)
    gains = 10 ** (np.interp(np.log(np.maximum(frequencies_hz, 1)), np.log(octaves_hz), gains_db) / 20)
    filtered = np.convolve(samples, firwin2(RESPONSE_TAPS, frequencies_hz, gains, fs=RATE_HZ), "same")
    return as_loud(filtered.astype(np.float32), samples)


def coded(
    samples: Samples, codec: str, container: str, rate_hz: int = RATE_HZ, bits_per_s: int | None = None
) -> Samples:
    """There and back through a codec of FFmpeg's; a little later and longer than it was, as codecs make it."""
    with temporary_folder() as folder:
        path = folder / f"coded.{container}"
        with av.open(str(path), "w", format=container) as out:
            stream = out.add_stream(codec, rate=rate_hz, layout="mono")
            assert isinstance(stream, AudioStream)
            if bits_per_s is not None:
                stream.bit_rate = bits_per_s
            pcm = np.round(samples * 32767).clip(-32768, 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            resampler = av.AudioResampler(
                format=stream.format, layout="mono", rate=rate_hz, frame_size=stream.codec_context.frame_size or 1024
            )
            for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
                out.mux(stream.encode(resampled))
            out.mux(stream.encode(None))
        return read_samples(path)


def telephone(samples: Samples) -> Samples:
    """Narrow-band, mu-law."""
    return coded(band_limited(samples, *TELEPHONE_HZ), "pcm_mulaw", "wav", TELEPHONE_RATE_HZ)


def opus(samples: Samples) -> Samples:
    """Opus at 12 kbit/s, as a bad line of a video call."""
    return coded(samples, "libopus", "ogg", 48_000, 12_000)


def mp3(samples: Samples) -> Samples:
    """MP3 at 24 kbit/s, as a dictation machine."""
    return coded(samples, "libmp3lame", "mp3", RATE_HZ, 24_000)


# Each takes a seed beside the samples: the same way again is another room, or another microphone.
CONDITIONS: dict[str, Condition] = {
    "close": lambda samples, seed: samples,
    "25 dB quieter": lambda samples, seed: quieter(samples, 25),
    "another microphone": coloured,
    "noise, 10 dB under": lambda samples, seed: noisy(samples, 10, seed),
    "Opus, 12 kbit/s": lambda samples, seed: opus(samples),
    "MP3, 24 kbit/s": lambda samples, seed: mp3(samples),
    "telephone": lambda samples, seed: telephone(samples),
    "far, T60 0.4 s": lambda samples, seed: far(samples, 0.4, seed),
    "far, T60 0.8 s": lambda samples, seed: far(samples, 0.8, seed),
    "far, noise, Opus": lambda samples, seed: opus(noisy(far(samples, 0.5, seed), 15, seed)),
    "noise, telephone": lambda samples, seed: telephone(noisy(samples, 15, seed)),
}
