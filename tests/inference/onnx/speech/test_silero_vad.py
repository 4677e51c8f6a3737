"""Silero's detector of speech, in both of its layouts."""

from __future__ import annotations

import numpy as np
import pytest

from inference.catalogue import DNSMOS, SILERO_VAD, locate
from inference.models import ModelUnfit, StreamInput
from inference.onnx.speech import Dnsmos, SileroVad
from inference.onnx.speech.silero_vad import SileroStreamVad, load_silero
from tests.recordings import sample_pcm


def audio(seconds: float) -> np.ndarray:
    samples = np.asarray(sample_pcm()[: int(seconds * 16_000)] / 32768, np.float32)
    return samples[: len(samples) // 512 * 512]


@pytest.mark.parametrize("name", ["silero_vad.onnx", "silero_vad_16k_op15.onnx", "silero_vad_openvino_16k.onnx"])
def test_sileros_layout_for_streams_hears_what_its_layout_for_blocks_hears(name: str) -> None:
    blocks, stream = load_silero(locate(SILERO_VAD)), load_silero(locate(SILERO_VAD).with_name(name))
    assert isinstance(blocks, SileroVad)
    assert isinstance(stream, SileroStreamVad)
    heard = audio(10)
    ((whole, _),) = blocks([StreamInput(heard, blocks.initial_state())])
    half = len(heard) // 1024 * 512
    ((first, state), _) = stream(
        [StreamInput(heard[:half], stream.initial_state()), StreamInput(heard, stream.initial_state())]
    )
    ((second, state),) = stream([StreamInput(heard[half:], state)])
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-4)
    assert whole.max() > 0.9
    ((nothing, same),) = stream([StreamInput(heard[:0], state)])
    assert nothing.shape == (0,)
    assert np.array_equal(same.context, state.context)
    with pytest.raises(ValueError, match="not whole windows"):
        stream([StreamInput(heard[:100], state)])


def test_another_graph_is_no_detector_and_no_judge() -> None:
    dnsmos, silero = locate(DNSMOS), locate(SILERO_VAD)
    with pytest.raises(ModelUnfit, match=r"sig_bak_ovr.onnx takes input_1 float \(\?, 144160\).*Silero's layout"):
        load_silero(dnsmos)
    with pytest.raises(ModelUnfit, match=r"takes input float \(\?, 576\).*expected: input_1 float \(1, 144160\)"):
        Dnsmos(silero)
    with pytest.raises(ModelUnfit, match=r"bak_ovr.onnx takes input_1 float \(\?, 901, 161\); expected"):
        Dnsmos(dnsmos.with_name("bak_ovr.onnx"))
