"""The pipeline beside ours: voices of windows become speakers."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.pyannote_like import PyannoteLike, cluster
from benchmarks.scoring import SpokenInterval, diarization_error_rate
from inference.catalogue import CAMPPLUS, SEGMENTATION, locate
from inference.models import SAMPLE_RATE_HZ
from inference.onnx.speakers import CampplusEncoder, PyannoteSegmenter
from tests.recordings import solo


def test_small_clusters_go_to_the_nearest_large_one() -> None:
    first, second = np.eye(2, dtype=np.float32)
    near_first = np.array([0.8, 0.6], np.float32)
    vectors = np.stack([first] * 20 + [second] * 20 + [near_first])
    labels = cluster(vectors, 0.5)
    assert len(set(labels.tolist())) == 2
    assert labels[40] == labels[0] != labels[20]


def test_two_speakers_in_turn_are_told_apart() -> None:
    models = PyannoteSegmenter(locate(SEGMENTATION)), CampplusEncoder(locate(CAMPPLUS))
    parts = [solo(name)[: 12 * SAMPLE_RATE_HZ] for name in ("rms", "slt")]
    samples = np.asarray(np.concatenate(parts) / 32768, np.float32)
    border_s, end_s = len(parts[0]) / SAMPLE_RATE_HZ, len(samples) / SAMPLE_RATE_HZ
    truth = [SpokenInterval(0.0, border_s, "first"), SpokenInterval(border_s, end_s, "second")]
    found = PyannoteLike(*models, samples).diarize(0.9)
    assert len({interval.speaker for interval in found}) == 2
    # The pauses within what each says are no speech in what was found.
    assert diarization_error_rate(truth, found, end_s, 0.25) < 25
    assert PyannoteLike(*models, np.zeros(SAMPLE_RATE_HZ, np.float32)).diarize(0.9) == []
