"""Makes speech with what is redacted in it, from free text-to-speech voices: a call, its two sides left and right.

    apt-get install flite
    python -m benchmarks.redaction_speech

Writes redaction_speech.ogg (Opus, 2 channels) beside this file. ``SCRIPT`` is its ground truth; ``MARKERS`` are what no
answer may contain when everything is redacted, as the recogniser writes it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from sample.make_sample import RATE_HZ, speak

SPEECH = Path(__file__).parent / "redaction_speech.ogg"
OPUS_RATE_HZ, OPUS_FRAME, BIT_RATE = 48_000, 960, 48_000
PAUSE_S = 0.6
AGENT, CUSTOMER = "rms", "slt"
SCRIPT = (
    (AGENT, "good morning this is daniel from the support team how can i help you"),
    (CUSTOMER, "hello daniel my name is laura and i have a question about my last bill"),
    (AGENT, "thank you laura what is your email address please"),
    (CUSTOMER, "my email is laura dot miller at example dot com"),
    (AGENT, "and what is your telephone number"),
    (CUSTOMER, "my number is four one five, five five five, zero one nine nine"),
    (AGENT, "which card would you like to use for the payment"),
    (CUSTOMER, "my card number is four one one one, one one one one, one one one one, one one one one"),
    (AGENT, "and where should we send the money"),
    (
        CUSTOMER,
        "the i ban is d e eight nine, three seven zero four, zero zero four four, zero five three two, zero one three"
        " zero, zero zero",
    ),
    (AGENT, "thank you very much laura we will look at the numbers again next week"),
    (CUSTOMER, "great thank you for your help and have a good day"),
)
MARKERS = ("daniel", "laura", "miller", "example.com", "41555501", "41111111", "11111111", "3704-0044", "37040044")
# Parts of the numbers: in words they are leaks, in times and ids they are chance.
SPOKEN_MARKERS = (*MARKERS, "0199", "4155", "5550", "4111", "1111", "3704", "0532")


def perform() -> NDArray[np.float32]:
    """The call: (samples, 2), the agent on the left."""
    pieces = []
    with tempfile.TemporaryDirectory() as folder:
        for voice, words in SCRIPT:
            spoken = speak(voice, words, Path(folder))
            line = np.zeros((len(spoken) + int(PAUSE_S * RATE_HZ), 2), np.float32)
            line[: len(spoken), 0 if voice == AGENT else 1] = spoken
            pieces.append(line)
    call = np.concatenate(pieces)
    call += np.random.default_rng(0).normal(0, 0.0005, call.shape).astype(np.float32)
    return np.clip(call, -1, 1)


def read_call() -> NDArray[np.int16]:
    """The call as it is stored, at 16 kHz: int16 (samples, 2)."""
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE_HZ)
    with av.open(str(SPEECH)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames]).astype(np.int16)


def main() -> None:
    """Write the file."""
    pcm = np.round(perform() * 32767).astype(np.int16)
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=OPUS_RATE_HZ, frame_size=OPUS_FRAME)
    with av.open(str(SPEECH), "w") as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE_HZ, layout="stereo")
        stream.bit_rate = BIT_RATE
        whole = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="stereo")
        whole.sample_rate = RATE_HZ
        for frame in [*resampler.resample(whole), *resampler.resample(None)]:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
