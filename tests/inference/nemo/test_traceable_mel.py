"""The front end that goes into exported graphs, against NeMo's own."""

from __future__ import annotations

import pytest

from benchmarks.random_speaker_encoder import speaker_encoder
from benchmarks.random_speech_models import speechlike
from inference.models import ModelUnfit
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)


@pytest.mark.parametrize("normalize", ["per_feature", "NA"])
def test_the_exported_front_end_hears_the_spectra_of_nemo(normalize: str) -> None:
    import torch

    from inference.nemo.traceable_mel import TraceableMel, describe_mel

    model = speaker_encoder(normalize=normalize)
    traceable = TraceableMel(model, describe_mel(model, "a model"))
    for lengths in ((24_000,), (16_000, 24_000, 6543)):
        samples = torch.zeros(len(lengths), max(lengths))
        for row, length in enumerate(lengths):
            samples[row, :length] = torch.from_numpy(speechlike(length / 16_000, seed=row))
        expected, frames = model.preprocessor(input_signal=samples, length=torch.tensor(lengths))
        found, heard = traceable(samples, torch.tensor(lengths))
        assert torch.equal(heard, frames)
        assert found.shape == expected.shape
        assert (found - expected).abs().max() < 1e-3


def test_a_front_end_with_other_filters_is_refused_by_the_setting_s_name() -> None:
    from omegaconf import open_dict

    from inference.nemo.traceable_mel import describe_mel

    model = speaker_encoder()
    with open_dict(model.cfg.preprocessor):
        model.cfg.preprocessor.highfreq = 7600
    with pytest.raises(ModelUnfit, match=r"preprocessor\.highfreq is 7600\.0; only 8000\.0 can be exported"):
        describe_mel(model, "a model")
