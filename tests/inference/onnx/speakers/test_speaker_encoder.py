"""Speaker encoders by path: spectra as NeMo computes them, and descriptions that must fit their graphs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit
from inference.onnx.features.kaldi_spectra import KaldiSettings, KaldiSpectra
from inference.onnx.features.log_mel import LogMel, LogMelSettings
from inference.onnx.speakers.speaker_encoder import OnnxSpeakerEncoder
from inference.selection.model_probes import probe_encoder
from tests.inference.onnx import onnx_models
from tests.inference.onnx.onnx_models import FLOAT, encoder_description
from tests.recordings import speech


def test_vectors_are_what_the_graph_makes_of_the_spectra_and_of_unit_length(tmp_path: Path) -> None:
    encoder = OnnxSpeakerEncoder(onnx_models.speaker_encoder(tmp_path / "titanet.onnx"))
    assert encoder.profile.dimension == 12
    assert encoder.profile.split_similarity == 0.4
    assert encoder.profile.same_voice_similarity == encoder.profile.merge_similarity, "unless it is said"
    window = speech(1, 1.5)
    expected = (LogMel(LogMelSettings())(window) ** 2).mean(axis=1) @ onnx_models.random(80, 12)
    (vector,) = encoder([window])
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)
    probe_encoder(encoder)


def test_a_window_has_the_same_vector_alone_and_in_company(tmp_path: Path) -> None:
    encoder = OnnxSpeakerEncoder(onnx_models.speaker_encoder(tmp_path / "titanet.onnx"))
    windows = [speech(start, seconds) for start, seconds in ((0, 1.5), (2, 0.8), (3, 1.5), (5, 0.1), (6, 2.3))]
    together = encoder(windows)
    np.testing.assert_allclose(together, np.concatenate([encoder([window]) for window in windows]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert encoder([]).shape == (0, 12)


def test_a_graph_may_take_samples(tmp_path: Path) -> None:
    encoder = OnnxSpeakerEncoder(onnx_models.sample_encoder(tmp_path / "wave.onnx"))
    window = speech(4, 1.5)
    expected = np.array([window.mean(), (window**2).mean(), np.abs(window).mean()])
    np.testing.assert_allclose(encoder([window])[0], expected / np.linalg.norm(expected), atol=1e-5)


@pytest.mark.parametrize("int16_range", [False, True])
def test_a_graph_may_take_kaldis_spectra(tmp_path: Path, int16_range: bool) -> None:
    pytest.importorskip("kaldi_native_fbank")
    kaldi = {"bands": 80, "int16_range": int16_range}
    path = onnx_models.kaldi_encoder(tmp_path / "wespeaker.onnx", kaldi)
    encoder = OnnxSpeakerEncoder(path)
    windows = [speech(4, 1.5), speech(6, 0.7)]
    for window, vector in zip(windows, encoder(windows), strict=True):
        power = KaldiSpectra(KaldiSettings.model_validate(kaldi))(window) ** 2
        expected = power.mean(axis=0) @ onnx_models.random(80, 12)
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)
    path.with_suffix(".json").write_text(json.dumps(encoder_description(input="kaldi", kaldi={"bands": 40})))
    with pytest.raises(ModelUnfit, match=r"feats float \(\?, \?, 80\); expected .*Kaldi's spectra \(n, frames, 40\)"):
        OnnxSpeakerEncoder(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "emotions"}, "titanet.json: task is 'emotions'; expected 'speaker_vectors'"),
        ({"sample_rate_hz": 8000}, "titanet.json: sample_rate_hz is 8000; audio has 16000"),
        ({"dimension": 192}, r"gives logits float .*embs float \(\?, 12\); expected one float output .*\(n, 192\)"),
        ({"dimension": 3, "output": "embs"}, r"expected one float output of vectors \(n, 3\)"),
        ({"profile": {**onnx_models.PROFILE, "dimension": 192}}, "profile.dimension is 192, and dimension 12"),
        ({"profile": {**onnx_models.PROFILE, "hop_s": 0}}, "profile.hop_s: Input should be greater than 0"),
        ({"profile": {"window_s": 1.5}}, "profile.hop_s: Field required"),
        ({"mel": {"bands": 40}}, r"takes audio_signal float \(\?, 80, \?\).*expected .*mel spectra \(n, 40, frames\)"),
        ({"mel": {"bands": 80, "windows": "hann"}}, "mel.windows: Extra inputs are not permitted"),
        ({"mel": {"window_samples": 600}}, "window_samples must not exceed n_fft"),
        ({"input": "samples"}, r"expected one float input of samples \(n, samples\)"),
        ({"input": "fbank"}, "input: Input should be 'mel', 'kaldi' or 'samples'"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    model = onnx_models.speaker_encoder(tmp_path / "titanet.onnx", encoder_description(**changes))
    with pytest.raises(ModelUnfit, match=said):
        OnnxSpeakerEncoder(model)


def test_without_a_readable_description_there_is_no_encoder(tmp_path: Path) -> None:
    model = onnx_models.speaker_encoder(tmp_path / "titanet.onnx")
    described = model.with_suffix(".json")
    for content, said in ((b"{", "not valid JSON"), (b"[1]", "not hold a JSON object"), (b"\xff\xfe{}", "not UTF-8"),
                          (b" " * 1_100_000, "larger than")):  # fmt: skip
        described.write_bytes(content)
        with pytest.raises(ModelCorrupt, match=said):
            OnnxSpeakerEncoder(model)
    described.write_text("[" * 100_000)
    with pytest.raises(ModelCorrupt, match="not valid JSON"):
        OnnxSpeakerEncoder(model)
    described.unlink()
    with pytest.raises(ModelMissing, match=r"no titanet.json"):
        OnnxSpeakerEncoder(model)


def test_a_graph_of_one_length_only_is_refused(tmp_path: Path) -> None:
    path = onnx_models.save(
        tmp_path / "fixed.onnx",
        [("ReduceMean", ["mel", "time"], ["embs"], {"keepdims": 0})],
        [("mel", FLOAT, ["n", 80, 150])],
        [("embs", FLOAT, ["n", 80])],
        time=np.array([2]),
    )
    path.with_suffix(".json").write_text(json.dumps(encoder_description(dimension=80)))
    with pytest.raises(ModelUnfit, match="of any n and length"):
        OnnxSpeakerEncoder(path)
