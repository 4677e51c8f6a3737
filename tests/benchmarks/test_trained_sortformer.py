"""Made conversations: their labels are those of what is heard."""

from __future__ import annotations

import numpy as np

from benchmarks.trained_sortformer import SPEAKERS, conversation
from inference.sortformer import FRAME_SAMPLES


def test_who_speaks_is_heard_and_pauses_are_quiet() -> None:
    sound, speaks = conversation(20.0, seed=3)
    assert len(sound) == len(speaks) * FRAME_SAMPLES
    loud = np.sqrt((sound.reshape(len(speaks), FRAME_SAMPLES) ** 2).mean(1))
    assert speaks.shape[1] == SPEAKERS
    assert loud[speaks.any(1)].min() > 3 * loud[~speaks.any(1)].max()
    assert (speaks.sum(1) > 1).any(), "some overlap"
    again, same = conversation(20.0, seed=3)
    assert np.array_equal(sound, again)
    assert np.array_equal(speaks, same)
