"""Session events as messages of the internal protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meetra.inference.v2 import session_pb2

from inference.acoustics import RecordingAcoustics, SegmentAcoustics
from inference.api.admission import SessionAdmission
from inference.api.tasks import TASKS
from inference.engine import Batcher
from inference.stages import Event, FinishedEvent, ProgressEvent, TurnEvent


def event_message(event: Event) -> session_pb2.RunSessionResponse:
    """Convert an event to its message; the sender sets ``event_seq``."""
    match event:
        case ProgressEvent():
            progress = session_pb2.Progress(
                processed_samples=event.processed_samples,
                stage=session_pb2.Stage.ValueType(event.stage),
                heard_samples=event.heard_samples,
                final_words_samples=event.final_words_samples,
                language=event.language,
                language_confidence=event.language_confidence,
                several_voices=event.several_voices,
            )
            return session_pb2.RunSessionResponse(progress=progress)
        case TurnEvent():
            return session_pb2.RunSessionResponse(turn=_turn(event))
        case FinishedEvent(voices=voices):
            profiles = [
                session_pb2.SpeakerProfile(speaker=number, embedding=vector.tolist(), speech_us=_us(float(seconds)))
                for number, (vector, seconds) in enumerate(zip(voices.vectors, voices.seconds, strict=True), start=1)
            ]
            finished = session_pb2.Finished(
                total_samples=event.total_samples,
                speakers=profiles,
                acoustics=_recording(event.acoustics),
                language=event.language,
                language_confidence=event.language_confidence,
            )
            return session_pb2.RunSessionResponse(finished=finished)


def statistics_message(queue: Batcher[Any, Any], processor_s: float) -> session_pb2.ModelStatistics:
    """Return the counters of the queue before a model, with the model's processor time, seconds."""
    counted = queue.statistics
    return session_pb2.ModelStatistics(
        task=TASKS[queue.name],
        calls=counted.calls,
        works=counted.works,
        largest_call=counted.largest,
        waiting=queue.waiting,
        waited_us=_us(counted.waited_s),
        longest_wait_us=_us(counted.longest_wait_s),
        ran_us=_us(counted.ran_s),
        processor_us=_us(processor_s),
        failed=counted.failed,
        running_us=_us(queue.running_s),
    )


def live_load_messages(admission: SessionAdmission, lags: Mapping[str, float]) -> list[session_pb2.LiveLoad]:
    """Return the live sessions of each organization; ``lags``: how late their work begins, seconds."""
    sessions = admission.live_sessions
    return [
        session_pb2.LiveLoad(
            organization=organization,
            sessions=sessions.get(organization, 0),
            lag_us=_us(lags.get(organization, 0.0)),
            full=admission.live_full(organization),
        )
        for organization in admission.live_organizations
    ]


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _turn(event: TurnEvent) -> session_pb2.Turn:
    words = [
        session_pb2.Word(text=w.text, start_us=_us(w.start_s), end_us=_us(w.end_s), confidence=w.confidence)
        for w in event.words
    ]
    return session_pb2.Turn(
        segment_id=event.segment_id,
        revision=event.revision,
        state=session_pb2.TurnState.ValueType(event.state),
        speaker=event.speaker,
        start_us=_us(event.start_s),
        end_us=_us(event.end_s),
        words=words,
        acoustics=_segment(event.acoustics) if event.acoustics else None,
        language=event.language,
        ended=event.ended,
    )


def _segment(acoustics: SegmentAcoustics) -> session_pb2.Acoustics:
    scores = acoustics.scores
    return session_pb2.Acoustics(
        level_dbfs=acoustics.level_dbfs,
        noise_dbfs=acoustics.noise_dbfs,
        voiced_us=_us(acoustics.voiced_s),
        pitch_semitones=acoustics.pitch_semitones,
        pitch_spread_semitones=acoustics.pitch_spread_semitones,
        clipping_percent=acoustics.clipping_percent,
        mos_overall=scores.overall if scores else None,
        mos_signal=scores.signal if scores else None,
        mos_background=scores.background if scores else None,
        decays_db_per_s=acoustics.decays_db_per_s,
        gaps=acoustics.gaps,
        gap_us=_us(acoustics.gap_s),
    )


def _recording(acoustics: RecordingAcoustics) -> session_pb2.RecordingAcoustics:
    spans = [session_pb2.Span(start_us=_us(start), end_us=_us(end)) for start, end in acoustics.music]
    return session_pb2.RecordingAcoustics(noise_dbfs=acoustics.noise_dbfs, music=spans)
