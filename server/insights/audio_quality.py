"""How each speaker can be heard: microphone, noise, clipping, reverberation, lost packets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from server.conversation import Acoustics, Conversation, Segment
from server.insights.timeline import weighted_mean

DEFINITION_VERSION = "2"
# Measured on clean and artificially reverberated speech (docs/metrics.md): in a dry room half of
# all decays are steeper than this.
REVERB_BELOW_DB_PER_S = 150.0
# With fewer decays nothing is said of reverberation, unless speech is long and has none at all.
MIN_DECAYS = 4
DECAYS_PER_SPEECH_S = 0.3
MIN_SPEECH_S = 15.0
# Lost packets: so many cuts a minute of speech.
LAGGING_FROM_GAPS_PER_MIN = 3.0
MIN_GAPS = 2


def microphone_quality(mos: float) -> float:
    """``microphone_quality``: 100 (OVRL - 1) / 4 of DNSMOS P.835's overall score, 0..100 (Reddy et al. 2022)."""
    return min(100.0, max(0.0, 100 * (mos - 1) / 4))


def is_reverberant(decays_db_per_s: Sequence[float], speech_s: float) -> bool:
    """Whether sounds die away as slowly as in an echoing room."""
    if len(decays_db_per_s) >= MIN_DECAYS:
        return median(decays_db_per_s) < REVERB_BELOW_DB_PER_S
    return speech_s >= MIN_SPEECH_S and len(decays_db_per_s) < DECAYS_PER_SPEECH_S * speech_s


def is_lagging(gaps: int, speech_s: float) -> bool:
    """Whether packets are lost often enough to be heard."""
    return gaps >= MIN_GAPS and gaps >= LAGGING_FROM_GAPS_PER_MIN * speech_s / 60


def audio_quality(conversation: Conversation) -> list[dict[str, Any]]:
    """Row 19: one entry a speaker whose sound was measured; what could not be told is None.

    ``mos``, ``noise_db``, ``snr_db``, ``level_db``, ``clipping_percent``: means over the speaker's
    segments, weighted by their lengths; the decays and gaps of all of them are taken together.
    """
    return [
        {"speaker": speaker, **_of(segments)}
        for speaker in conversation.speakers
        if (segments := [s for s in conversation.segments if s.speaker == speaker and s.acoustics is not None])
    ]


def fragments(conversation: Conversation) -> list[dict[str, Any]]:
    """How each segment sounds: the flags of the documented data model, in the order of time."""
    return [
        {
            "speaker": segment.speaker,
            "start_ms": segment.start_us // 1000,
            "end_ms": segment.end_us // 1000,
            "level_dbfs": round(heard.level_dbfs, 1),
            "microphone_quality": _rounded(heard.mos_overall and microphone_quality(heard.mos_overall)),
            "reverb": len(heard.decays_db_per_s) >= MIN_DECAYS
            and is_reverberant(heard.decays_db_per_s, (segment.end_us - segment.start_us) / 1e6),
            "lagging": heard.gaps > 0,
            "music": any(a < segment.end_us and segment.start_us < b for a, b in conversation.music),
        }
        for segment in conversation.segments
        if (heard := segment.acoustics) is not None
    ]


def _of(segments: Sequence[Segment]) -> dict[str, Any]:
    heard = [(s.acoustics, (s.end_us - s.start_us) / 1e6) for s in segments if s.acoustics is not None]

    def mean(value: Callable[[Acoustics], float | None]) -> float | None:
        known = ((value(acoustics), seconds) for acoustics, seconds in heard)
        return weighted_mean((number, seconds) for number, seconds in known if number is not None)

    mos = mean(lambda a: a.mos_overall)
    level, noise = mean(lambda a: a.level_dbfs), mean(lambda a: a.noise_dbfs)
    # Of the segments whose noise is known: a loud one without must not raise it.
    snr = mean(lambda a: None if a.noise_dbfs is None else a.level_dbfs - a.noise_dbfs)
    speech_s = sum(seconds for _, seconds in heard)
    decays = [rate for acoustics, _ in heard for rate in acoustics.decays_db_per_s]
    gaps = sum(acoustics.gaps for acoustics, _ in heard)
    return {
        "microphone_quality": _rounded(None if mos is None else microphone_quality(mos)),
        "mos": None if mos is None else round(mos, 2),
        "noise_db": _rounded(noise),
        "snr_db": _rounded(snr),
        "clipping_percent": round(mean(lambda a: a.clipping_percent) or 0.0, 3),
        "reverb": is_reverberant(decays, speech_s),
        "lagging": is_lagging(gaps, speech_s),
        "level_db": _rounded(level),
        "gaps": gaps,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
