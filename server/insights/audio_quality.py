"""Audio quality per speaker: microphone, noise, clipping, reverberation, packet loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TypedDict

from server.conversation import Acoustics, Conversation, Segment
from server.insights.family import Family, MeetingFacts
from server.insights.timeline import weighted_mean

DEFINITION_VERSION = "2"
# Half of all decays in a dry room are steeper than this; measured on clean and artificially reverberated speech
# (docs/metrics.md).
REVERB_BELOW_DB_PER_S = 150.0
# Minimum number of decays for a judgement on reverberation, unless long speech has almost none.
MIN_DECAYS = 4
DECAYS_PER_SPEECH_S = 0.3
MIN_SPEECH_S = 15.0
# Packet loss: number of cuts per minute of speech.
LAGGING_FROM_GAPS_PER_MIN = 3.0
MIN_GAPS = 2


class SegmentQuality(TypedDict):
    """Audio quality of a set of segments."""

    microphone_quality: float | None
    mos: float | None
    noise_db: float | None
    snr_db: float | None
    clipping_percent: float
    reverb: bool
    lagging: bool
    level_db: float | None
    gaps: int


class SpeakerQuality(SegmentQuality):
    """Audio quality of a speaker."""

    speaker: int


class AudioQualityDocument(TypedDict):
    """Stored answer of ``GET /single-feature-api/meeting/speakers-audio-quality``, without the fragments."""

    speakers: list[SpeakerQuality]
    noise_db: float | None
    music: list[list[int]]
    """[start, end] of each span, milliseconds."""


class FragmentQuality(TypedDict):
    """Audio quality of a segment."""

    speaker: int
    start_ms: int
    end_ms: int
    level_dbfs: float
    microphone_quality: float | None
    reverb: bool
    lagging: bool
    music: bool


class FragmentsDocument(TypedDict):
    """All segments; large and rarely requested, hence stored apart from the quality."""

    fragments: list[FragmentQuality]


def microphone_quality(mos: float) -> float:
    """Return ``microphone_quality`` = 100 (OVRL - 1) / 4, 0..100, from the overall score of DNSMOS P.835 (Reddy et al.,
    2022).
    """
    return min(100.0, max(0.0, 100 * (mos - 1) / 4))


def is_reverberant(decays_db_per_s: Sequence[float], speech_s: float) -> bool:
    """Return whether sounds decay as slowly as in a reverberant room.

    Args:
        decays_db_per_s: decay rates, dB/s.
        speech_s: speech they were measured on, seconds.
    """
    if len(decays_db_per_s) >= MIN_DECAYS:
        return median(decays_db_per_s) < REVERB_BELOW_DB_PER_S
    return speech_s >= MIN_SPEECH_S and len(decays_db_per_s) < DECAYS_PER_SPEECH_S * speech_s


def is_lagging(gaps: int, speech_s: float) -> bool:
    """Return whether packet loss is frequent enough to be audible.

    Args:
        gaps: number of cuts.
        speech_s: speech they were counted in, seconds.
    """
    return gaps >= MIN_GAPS and gaps >= LAGGING_FROM_GAPS_PER_MIN * speech_s / 60


def audio_quality(conversation: Conversation) -> list[SpeakerQuality]:
    """Return the audio quality of each speaker with measurements; unknown values are None.

    ``mos``, ``noise_db``, ``snr_db``, ``level_db`` and ``clipping_percent`` are means over the speaker's segments,
    weighted by duration; decays and gaps are pooled.
    """
    return [
        {"speaker": speaker, **_measure(segments)}
        for speaker in conversation.speakers
        if (segments := [s for s in conversation.segments if s.speaker == speaker and s.acoustics is not None])
    ]


def fragments(conversation: Conversation) -> list[FragmentQuality]:
    """Return the audio quality of each measured segment, in time order."""
    return [
        {
            "speaker": segment.speaker,
            "start_ms": segment.start_us // 1000,
            "end_ms": segment.end_us // 1000,
            "level_dbfs": round(measured.level_dbfs, 1),
            "microphone_quality": _round(measured.mos_overall and microphone_quality(measured.mos_overall)),
            "reverb": len(measured.decays_db_per_s) >= MIN_DECAYS
            and is_reverberant(measured.decays_db_per_s, (segment.end_us - segment.start_us) / 1e6),
            "lagging": measured.gaps > 0,
            "music": any(a < segment.end_us and segment.start_us < b for a, b in conversation.music),
        }
        for segment in conversation.segments
        if (measured := segment.acoustics) is not None
    ]


def _measure(segments: Sequence[Segment]) -> SegmentQuality:
    measured = [(s.acoustics, (s.end_us - s.start_us) / 1e6) for s in segments if s.acoustics is not None]

    def mean(value: Callable[[Acoustics], float | None]) -> float | None:
        known = ((value(acoustics), seconds) for acoustics, seconds in measured)
        return weighted_mean((number, seconds) for number, seconds in known if number is not None)

    mos = mean(lambda a: a.mos_overall)
    level, noise = mean(lambda a: a.level_dbfs), mean(lambda a: a.noise_dbfs)
    # Over segments with known noise only: a loud one without it must not raise the ratio.
    snr = mean(lambda a: None if a.noise_dbfs is None else a.level_dbfs - a.noise_dbfs)
    speech_s = sum(seconds for _, seconds in measured)
    decays = [rate for acoustics, _ in measured for rate in acoustics.decays_db_per_s]
    gaps = sum(acoustics.gaps for acoustics, _ in measured)
    return {
        "microphone_quality": _round(None if mos is None else microphone_quality(mos)),
        "mos": None if mos is None else round(mos, 2),
        "noise_db": _round(noise),
        "snr_db": _round(snr),
        "clipping_percent": round(mean(lambda a: a.clipping_percent) or 0.0, 3),
        "reverb": is_reverberant(decays, speech_s),
        "lagging": is_lagging(gaps, speech_s),
        "level_db": _round(level),
        "gaps": gaps,
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _audio_quality(meeting: MeetingFacts) -> AudioQualityDocument:
    return {
        "speakers": audio_quality(meeting.conversation),
        "noise_db": meeting.conversation.noise_dbfs,
        "music": [[start // 1000, end // 1000] for start, end in meeting.conversation.music],
    }


def _fragments(meeting: MeetingFacts) -> FragmentsDocument:
    return {"fragments": fragments(meeting.conversation)}


AUDIO_QUALITY = Family("audio_quality", DEFINITION_VERSION, _audio_quality, quotes=False)
FRAGMENTS = Family("fragments", DEFINITION_VERSION, _fragments, quotes=False)
