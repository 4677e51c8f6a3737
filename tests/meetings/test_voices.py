"""Which known voice a speaker is."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from server.meetings.voices import SAME_VOICE_SIMILARITY, heard_again, matched
from server.storage.voices import VoiceRow


def unit(*values: float) -> NDArray[np.float32]:
    vector = np.asarray(values, np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def voice(vector: NDArray[np.float32], id_: UUID | None = None, meetings: int = 1) -> VoiceRow:
    return VoiceRow(id_ or uuid4(), "", vector.astype("<f4").tobytes(), meetings)


def test_each_voice_and_each_speaker_is_matched_once_the_likest_first() -> None:
    a, b = voice(unit(1, 0, 0)), voice(unit(0, 1, 0))
    found = matched({1: unit(1, 0.1, 0), 2: unit(1, 0.4, 0), 3: unit(0, 1, 0.1), 4: unit(0, 0, 1)}, [a, b])
    assert {m.label: m.voice_id for m in found} == {1: a.id, 3: b.id}
    assert all(m.similarity >= SAME_VOICE_SIMILARITY for m in found)


def test_a_voice_heard_again_is_the_mean_of_its_meetings() -> None:
    again = heard_again(voice(unit(1, 0), meetings=3), unit(0, 1))
    assert again.meetings == 4
    assert np.frombuffer(again.vector, "<f4") == pytest.approx(unit(3, 1))
