"""Metrics of how a speaker sounds: microphone, noise, clipping, room, packet loss."""

from __future__ import annotations

from server.insights import AUDIO_QUALITY
from server.metrics.metric import KnownError, Metric

LIMITS = (
    "DNSMOS was made for wide-band headset and conference speech: music, babble in other languages and synthetic voices"
    " are outside its training data."
)
PASSAGES = "30 passages of speech (LibriSpeech test-other): "

AUDIO = (
    Metric(
        name="mos",
        title="Opinion score of the sound",
        unit="opinion",
        low=1,
        high=5,
        definition="DNSMOS P.835, overall (Reddy et al. 2022), on windows of 9 s with at least 20 % speech: the first"
        " 6, then every second; a segment gets the mean of the windows it lies in, else the nearest window",
        interpretation=LIMITS,
        source="Reddy et al. 2022",
        version=AUDIO_QUALITY.version,
    ),
    Metric(
        name="microphone_quality",
        title="Microphone quality",
        unit="points",
        low=0,
        high=100,
        definition="100 (mos - 1) / 4",
        interpretation=LIMITS,
        source="Reddy et al. 2022",
        version=AUDIO_QUALITY.version,
    ),
    Metric(
        name="noise_db",
        title="Noise",
        unit="dBFS",
        high=0,
        definition="10th percentile of the level of 20 ms frames within 5 s of a segment, at least 0.2 s from any"
        " speech",
        version=AUDIO_QUALITY.version,
    ),
    Metric(
        name="snr_db",
        title="Speech above noise",
        unit="dB",
        definition="level of the segment - `noise_db`",
        version=AUDIO_QUALITY.version,
    ),
    Metric(
        name="clipping_percent",
        title="Clipping",
        unit="%",
        low=0,
        high=100,
        definition="samples in runs of at least 3 at full scale",
        version=AUDIO_QUALITY.version,
        errors=(
            KnownError(f"{PASSAGES}clean speech", "detected", 0, "of 30"),
            KnownError(f"{PASSAGES}20 dB too loud", "detected", 30, "of 30"),
        ),
    ),
    Metric(
        name="reverb",
        title="Reverberation",
        unit="yes or no",
        definition="half of the speaker's decays (runs of falling frames over at least 12 dB, at least 4 of them) are"
        " slower than 150 dB/s; or in 15 s of speech or more there are fewer than 0.3 decays a second and fewer than 4"
        " in all",
        interpretation="In very long reverberation (1.2 s) few decays end before the next sound begins: a quarter is"
        " missed.",
        source="Wen, Habets, Naylor 2008",
        version=AUDIO_QUALITY.version,
        errors=(
            KnownError(f"{PASSAGES}clean speech", "detected", 1, "of 30"),
            KnownError(f"{PASSAGES}reverberation time 0.5 s", "detected", 30, "of 30"),
            KnownError(f"{PASSAGES}reverberation time 1.2 s", "detected", 23, "of 30"),
        ),
    ),
    Metric(
        name="lagging",
        title="Lost packets",
        unit="yes or no",
        definition="at least 2 gaps, and at least 3 a minute of speech. A gap: 10 to 400 ms of exact zeros with sound"
        " over -45 dBFS right before and after",
        interpretation="A codec that conceals lost packets leaves no zeros, so its losses are not detected.",
        version=AUDIO_QUALITY.version,
        errors=(
            KnownError(f"{PASSAGES}clean speech", "detected", 0, "of 30"),
            KnownError(f"{PASSAGES}1 % of 20 ms packets lost, not concealed", "detected", 29, "of 30"),
        ),
    ),
    Metric(
        name="music",
        title="Music",
        unit="spans",
        definition="seconds whose spectral peaks are stable for 128 ms, loud enough and not detected as speech, 3 or"
        " more in a row (after Hawley 1993; Scheirer and Slaney 1997)",
        interpretation="More than half of the music is missed.",
        source="Hawley 1993; Scheirer and Slaney 1997",
        version=AUDIO_QUALITY.version,
        errors=(
            KnownError("speech (1728 s)", "detected", 0, "% of the time"),
            KnownError("music (53 s of the FLAC test files)", "detected", 41, "% of the time"),
        ),
    ),
)
