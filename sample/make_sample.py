"""Makes the sample meeting and its ground truth from free text-to-speech voices.

    apt-get install flite festival festvox-kallpc16k festvox-us-slt-hts
    .venv/bin/python sample/make_sample.py

Writes meeting.flac (16 kHz mono), meeting.rttm (who speaks when) and meeting.stm (the words)
beside this file. The same script gives the same meeting on every machine with these voices.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
FOLDER = Path(__file__).resolve().parent
LEVEL_RMS = 0.08
# Where a voice begins and ends: 40 dB under its loudest sample.
EDGE = 0.01

# name, voice, words, pause before in seconds
SCRIPT = (
    ("rms", "good morning everyone i am daniel and i will lead the meeting today", 0.8),
    ("slt", "good morning daniel", 0.4),
    ("rms", "the first question is about the budget how much money did we spend last month", 0.6),
    ("kal16", "we spent about twenty thousand dollars and most of it was for the new server", 0.5),
    ("slt", "that is more than we planned why was the server so expensive", 0.4),
    ("kal16", "because the old one was too small and we needed it before the end of the year", 0.4),
    ("awb", "i do not agree with that we could have waited until january", 0.3),
    ("kal16", "maybe but then the customers would have waited as well", 0.4),
    ("rms", "all right we will look at the numbers again next week", 0.6),
    ("awb", "that is fine with me", 0.3),
    ("rms", "the second point is the problem with the audio in the meeting room", 0.7),
    ("slt", "i called the company yesterday and we had a long conversation", 0.5),
    ("awb", "what did they say", 0.3),
    ("slt", "they will send somebody on monday morning to look at the microphone", 0.4),
    ("kal16", "great that is a big improvement", 0.3),
    ("rms", "thank you can we finish the test before friday", 0.5),
    ("awb", "yes i think we can do that but i need some help with the report", 0.5),
    ("slt", "i can help you on wednesday afternoon", 0.3),
    ("awb", "perfect thank you very much", 0.3),
    ("kal16", "is there anything else we need to discuss today", 0.7),
    ("rms", "no that was everything thanks everybody and have a good day", 0.5),
    ("slt", "goodbye", 0.4),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the script as it is heard; seconds."""

    speaker: str
    words: str
    start_s: float
    end_s: float


def speak(voice: str, words: str, folder: Path) -> NDArray[np.float32]:
    """``words`` in a voice: mono float32 at 16 kHz, silence cut off both ends, at one level."""
    path = folder / "line.wav"
    subprocess.run(["flite", "-voice", voice, "-t", words, "-o", str(path)], check=True)
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    heard = np.flatnonzero(np.abs(samples) > EDGE * np.abs(samples).max())
    samples = samples[heard[0] : heard[-1] + 1]
    return np.asarray(samples * (LEVEL_RMS / np.sqrt(np.mean(samples**2))), np.float32)


def perform() -> tuple[NDArray[np.float32], list[Line]]:
    """The whole meeting and its lines."""
    pieces, lines, position = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        for voice, words, pause_s in SCRIPT:
            spoken = speak(voice, words, Path(folder))
            silence = np.zeros(int(pause_s * RATE_HZ), np.float32)
            start = position + len(silence)
            position = start + len(spoken)
            pieces += [silence, spoken]
            lines.append(Line(voice, words, start / RATE_HZ, position / RATE_HZ))
    pieces.append(np.zeros(RATE_HZ, np.float32))
    # A room is never silent: noise at -66 dBFS, always the same.
    meeting = np.concatenate(pieces)
    meeting += np.random.default_rng(0).normal(0, 0.0005, len(meeting)).astype(np.float32)
    return np.clip(meeting, -1, 1), lines


def write_flac(samples: NDArray[np.float32], path: Path) -> None:
    """16-bit FLAC, mono, 16 kHz."""
    pcm = np.round(samples * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono")
        stream.format = "s16"
        for start in range(0, len(pcm), 4096):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + 4096], format="s16", layout="mono")
            frame.sample_rate = RATE_HZ
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    samples, lines = perform()
    write_flac(samples, FOLDER / "meeting.flac")
    rttm = [
        f"SPEAKER meeting 1 {x.start_s:.3f} {x.end_s - x.start_s:.3f} <NA> <NA> {x.speaker} <NA> <NA>" for x in lines
    ]
    stm = [f"meeting 1 {x.speaker} {x.start_s:.3f} {x.end_s:.3f} {x.words}" for x in lines]
    (FOLDER / "meeting.rttm").write_text("\n".join(rttm) + "\n")
    (FOLDER / "meeting.stm").write_text("\n".join(stm) + "\n")


if __name__ == "__main__":
    main()
