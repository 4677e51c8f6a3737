"""Log-mel spectra, as NeMo computes them."""

from __future__ import annotations

import numpy as np
import pytest

from inference.onnx.features.log_mel import LogMel, LogMelSettings
from tests.optional_packages import WITHOUT_NEMO
from tests.recordings import speech


@pytest.mark.nemo
@pytest.mark.parametrize("normalise", ["per_feature", "none"])
@pytest.mark.parametrize("seconds", [0.4, 1.507, 6.0])
def test_spectra_are_those_of_nemos_preprocessor(seconds: float, normalise: str) -> None:
    pytest.importorskip("nemo", reason=WITHOUT_NEMO)
    import torch
    from nemo.collections.asr.modules import audio_preprocessing as features

    settings = LogMelSettings.model_validate({"normalise": normalise})
    theirs = features.AudioToMelSpectrogramPreprocessor(
        sample_rate=16_000, window_size=0.025, window_stride=0.01, features=80, n_fft=512, pad_to=0, dither=0.0,
        normalize="NA" if normalise == "none" else normalise,
    ).eval()  # fmt: skip
    samples = speech(2, seconds)
    with torch.no_grad():
        found, count = theirs(
            input_signal=torch.from_numpy(samples)[None], length=torch.tensor([len(samples)], dtype=torch.int64)
        )
    ours = LogMel(settings)(samples)
    assert ours.shape == (80, int(count[0]))
    # Near the guard torch's own rounding shows: it is 1.6e-4 off what float64 gives at -15, ours 1e-6.
    np.testing.assert_allclose(ours, found[0, :, : int(count[0])].numpy(), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("bands", [80, 128])
def test_spectra_are_those_of_another_implementation_of_nemos(bands: int) -> None:
    numpy_preprocessor = pytest.importorskip("onnx_asr.preprocessors.numpy_preprocessor")
    samples = speech(2, 3.21)
    found, count = numpy_preprocessor.NemoPreprocessorNumpy(f"nemo{bands}")(samples[None], np.array([len(samples)]))
    ours = LogMel(LogMelSettings.model_validate({"bands": bands, "preemphasis": 0.97}))(samples)
    assert ours.shape == (bands, count[0])
    np.testing.assert_allclose(ours, found[0, :, : count[0]], atol=1e-3)
