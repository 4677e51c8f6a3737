"""Which known voice a speaker is."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np
import pytest
from meetra.inference.v2 import session_pb2
from numpy.typing import NDArray

from server.analysis.recording import SessionResult
from server.analysis.voices import MIN_SPEECH_S, match_voices, update_voice
from server.storage.voices import VoiceRow


def unit(*values: float) -> NDArray[np.float32]:
    vector = np.asarray(values, np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def voice(vector: NDArray[np.float32], id_: UUID | None = None, meetings: int = 1) -> VoiceRow:
    return VoiceRow(id_ or uuid4(), "", vector.astype("<f4").tobytes(), meetings)


def test_each_voice_and_each_speaker_is_matched_once_the_likest_first() -> None:
    a, b = voice(unit(1, 0, 0)), voice(unit(0, 1, 0))
    found = match_voices({1: unit(1, 0.1, 0), 2: unit(1, 0.4, 0), 3: unit(0, 1, 0.1), 4: unit(0, 0, 1)}, [a, b], 0.85)
    assert {m.label: m.voice_id for m in found} == {1: a.id, 3: b.id}
    assert all(m.similarity >= 0.85 for m in found)


def test_from_which_similarity_on_a_voice_is_known_is_for_the_model_to_say() -> None:
    a = voice(unit(1, 0))
    half = {1: unit(1, 1)}
    assert match_voices(half, [a], 0.85) == []
    assert [m.voice_id for m in match_voices(half, [a], 0.7)] == [a.id]


def test_a_voice_heard_again_is_the_mean_of_its_meetings() -> None:
    again = update_voice(voice(unit(1, 0), meetings=3), unit(0, 1))
    assert again.meetings == 4
    assert np.frombuffer(again.vector, "<f4") == pytest.approx(unit(3, 1))


def test_an_engine_that_does_not_say_from_which_similarity_on_recognises_nobody() -> None:
    said = SessionResult()
    said.collect(session_pb2.RunSessionResponse(ready=session_pb2.Ready(capabilities=session_pb2.Capabilities())))
    assert match_voices({1: unit(1, 0.1)}, [voice(unit(1, 0))], said.same_voice_similarity) == []
    capabilities = session_pb2.Capabilities(same_voice_similarity=0.65)
    said.collect(session_pb2.RunSessionResponse(ready=session_pb2.Ready(capabilities=capabilities)))
    assert said.same_voice_similarity == 0.65


def test_a_voice_heard_alone_for_too_short_is_neither_compared_nor_kept() -> None:
    said = SessionResult()
    profiles = [
        session_pb2.SpeakerProfile(speaker=1, embedding=[1, 0], speech_us=round(MIN_SPEECH_S * 1e6)),
        session_pb2.SpeakerProfile(speaker=2, embedding=[0, 1], speech_us=round((MIN_SPEECH_S - 0.1) * 1e6)),
        session_pb2.SpeakerProfile(speaker=3, embedding=[0, 0]),
    ]
    said.collect(session_pb2.RunSessionResponse(finished=session_pb2.Finished(speakers=profiles)))
    assert list(said.vectors) == [1]
    (finished,) = said.events
    assert "vector" not in repr(finished), "no voice is part of the conversation"
