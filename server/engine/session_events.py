"""What an engine says, as the domain's events."""

from __future__ import annotations

from typing import Any

from meetra.inference.v2 import session_pb2

from server.conversation import (
    Acoustics,
    EngineCapabilities,
    Event,
    FinishedEvent,
    Interval,
    ReadyEvent,
    Segment,
    TurnEvent,
    TurnState,
    Word,
    primary_tag,
)
from server.engine.model_labels import model_label


def to_capabilities(reported: session_pb2.Capabilities) -> EngineCapabilities:
    """Convert what an engine reports of itself."""
    return EngineCapabilities(
        tuple(map(model_label, reported.models)),
        reported.overlap,
        tuple(reported.languages),
        reported.word_times,
        reported.max_speakers,
        reported.key_terms,
    )


def to_event(response: session_pb2.RunSessionResponse) -> Event | None:
    """Convert a response to a domain event; None for one that does not affect the conversation."""
    kind = response.WhichOneof("event")
    if kind == "ready":
        return ReadyEvent(to_capabilities(response.ready.capabilities))
    if kind == "turn":
        turn = response.turn
        segment = Segment(
            turn.segment_id,
            turn.speaker,
            turn.start_us,
            turn.end_us,
            tuple(Word(w.text, w.start_us, w.end_us, _optional(w, "confidence")) for w in turn.words),
            _optional(turn, "speaker_confidence"),
            _to_acoustics(turn.acoustics) if turn.HasField("acoustics") else None,
            primary_tag(turn.language),
        )
        return TurnEvent(turn.revision, TurnState(turn.state), segment)
    if kind == "finished":
        finished = response.finished
        acoustics = finished.acoustics
        return FinishedEvent(
            finished.total_samples * 1_000_000 // 16_000,
            _optional(acoustics, "noise_dbfs"),
            tuple(Interval(span.start_us, span.end_us) for span in acoustics.music),
            primary_tag(finished.language),
            _optional(finished, "language_confidence"),
        )
    return None


def _to_acoustics(message: session_pb2.Acoustics) -> Acoustics:
    return Acoustics(
        level_dbfs=round(message.level_dbfs, 3),
        noise_dbfs=_optional(message, "noise_dbfs"),
        voiced_seconds=round(message.voiced_us / 1e6, 3),
        pitch_semitones=_optional(message, "pitch_semitones"),
        pitch_spread_semitones=_optional(message, "pitch_spread_semitones"),
        clipping_percent=round(message.clipping_percent, 4),
        mos_overall=_optional(message, "mos_overall"),
        mos_signal=_optional(message, "mos_signal"),
        mos_background=_optional(message, "mos_background"),
        decays_db_per_s=tuple(round(rate, 1) for rate in message.decays_db_per_s),
        gaps=message.gaps,
        gap_seconds=round(message.gap_us / 1e6, 4),
    )


def _optional(message: Any, field: str) -> float | None:
    return round(float(getattr(message, field)), 6) if message.HasField(field) else None
