"""What an engine's sessions say becomes one conversation, of however many tracks."""

from __future__ import annotations

import numpy as np
import pytest
from meetra.inference.v2 import model_pb2
from meetra.inference.v2 import session_pb2 as pb

from server.analysis.recording import AudioTrack, Recording, SessionResult, build_conversation
from server.analysis.voices import MIN_SPEECH_S
from server.engine.inference_client import read_pcm
from tests.recordings import SAMPLE

S = 1_000_000


def turn(
    segment_id: int, speaker: int, start_s: int, end_s: int, state: pb.TurnState.ValueType = pb.TURN_STATE_FINAL
) -> pb.RunSessionResponse:
    return pb.RunSessionResponse(
        turn=pb.Turn(
            segment_id=segment_id, revision=1, state=state, speaker=speaker, start_us=start_s * S, end_us=end_s * S
        )
    )


def session(*turns: pb.RunSessionResponse, vectors: dict[int, list[float]] | None = None) -> SessionResult:
    """What a session said, from ready to finished."""
    said = SessionResult()
    models = [model_pb2.Model(task=model_pb2.TASK_SPEAKER_EMBEDDING, name="m")]
    said.collect(pb.RunSessionResponse(ready=pb.Ready(capabilities=pb.Capabilities(models=models))))
    for each in turns:
        said.collect(each)
    profiles = [
        pb.SpeakerProfile(speaker=speaker, embedding=vector, speech_us=round(MIN_SPEECH_S * S))
        for speaker, vector in (vectors or {}).items()
    ]
    said.collect(pb.RunSessionResponse(finished=pb.Finished(total_samples=16_000 * 60, speakers=profiles)))
    return said


def track(index: int = 0, **known: object) -> AudioTrack:
    return AudioTrack(lambda: read_pcm(SAMPLE), 0, index=index, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [pb.TURN_STATE_PARTIAL, pb.TURN_STATE_STABLE, pb.TURN_STATE_RETRACTED])
def test_only_what_is_final_counts(state: pb.TurnState.ValueType) -> None:
    said = session(turn(1, 1, 0, 5), turn(2, 2, 5, 9, state))
    conversation, _ = build_conversation(Recording((track(),)), [said])
    assert [(s.speaker, s.start_us, s.end_us) for s in conversation.segments] == [(1, 0, 5 * S)]


def test_the_model_of_voices_is_known_by_its_label_and_without_a_threshold_nobody_is_the_same() -> None:
    said = session()
    assert (said.voice_model, said.same_voice_similarity) == ("speaker vectors: m", 1.0)


def test_speakers_of_two_tracks_are_told_apart_and_so_are_their_voices() -> None:
    first = session(turn(1, 1, 0, 5), vectors={1: [1, 0]})
    second = session(turn(1, 1, 2, 6), vectors={1: [0, 1]})
    recording = Recording((track(), track(1, speaker_number=lambda label: label + 10, start_us=30 * S)), track_count=2)
    conversation, vectors = build_conversation(recording, [first, second])
    assert conversation.speakers == (1, 11)
    assert [(s.speaker, s.start_us) for s in conversation.segments] == [(1, 0), (11, 32 * S)]
    assert {label: list(vector) for label, vector in vectors.items()} == {1: [1, 0], 11: [0, 1]}
    assert conversation.duration_us == 90 * S
    assert all(vector.dtype == np.float32 for vector in vectors.values())


def test_each_track_has_one_session() -> None:
    with pytest.raises(ValueError, match="zip"):
        build_conversation(Recording((track(), track(1)), track_count=2), [session()])
