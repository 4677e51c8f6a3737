"""Devices, and the graphs that are refused before their first call."""

from __future__ import annotations

import logging
from pathlib import Path

import onnxruntime as ort
import pytest

from inference.catalogue import SILERO_VAD, locate
from inference.models import ModelCorrupt, ModelUnfit
from inference.onnx.runtime import CPU, CUDA, TENSORRT, Execution, check_provider, open_session, varies_with_batch
from tests.inference.onnx import onnx_models

WITHOUT_GPU = CUDA not in ort.get_available_providers()
WITHOUT_TENSORRT = TENSORRT not in ort.get_available_providers()


@pytest.mark.parametrize(
    ("device", "provider"),
    [
        pytest.param("cuda", CUDA, marks=pytest.mark.skipif(not WITHOUT_GPU, reason="ONNX Runtime has CUDA")),
        pytest.param("tensorrt", TENSORRT, marks=pytest.mark.skipif(not WITHOUT_TENSORRT, reason="it has TensorRT")),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_the_package_that_brings_it(device: str, provider: str) -> None:
    with pytest.raises(ModelUnfit, match=f"'{device}' needs ONNX Runtime's {provider}.* has .*{CPU}.*onnxruntime-gpu"):
        open_session(locate(SILERO_VAD), Execution(device=device))


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ModelUnfit, match="'tpu' is unknown; one of auto, cpu, cuda, tensorrt"):
        Execution(device="tpu").providers()


@pytest.mark.skipif(not WITHOUT_GPU, reason="ONNX Runtime has CUDA")
def test_auto_is_the_cpu_where_there_is_nothing_else() -> None:
    assert Execution(device="auto").providers() == Execution(device="cpu").providers() == [(CPU, {})]
    assert open_session(locate(SILERO_VAD), Execution(device="auto")).get_providers() == [CPU]


def test_a_device_that_does_not_start_is_an_error_where_it_was_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    check_provider(CUDA, [CUDA, CPU], "cuda")
    with pytest.raises(ModelUnfit, match=f"device 'cuda'.*{CUDA}, but it does not start, and {CPU}"):
        check_provider(CUDA, [CPU], "cuda")
    with caplog.at_level(logging.WARNING):
        check_provider(CUDA, [CPU], "auto")
    assert f"{CPU} would run instead" in caplog.text


def test_tensorrt_is_told_where_engines_are_kept_and_what_it_may_compute_in(tmp_path: Path) -> None:
    options = Execution(device="tensorrt", dtype="float16", engine_cache=tmp_path / "engines").provider_options(
        TENSORRT
    )
    assert options["trt_fp16_enable"] == "True"
    assert options["trt_bf16_enable"] == "False"
    assert options["trt_engine_cache_path"] == str(tmp_path / "engines")
    assert (tmp_path / "engines").is_dir()
    assert Execution(device="cuda").provider_options(CUDA)["device_id"] == "0"


def test_what_is_no_graph_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"")
    with pytest.raises(ModelCorrupt, match=r"model.onnx is not a usable ONNX model"):
        open_session(path)


def test_dynamic_quantisation_is_seen(tmp_path: Path) -> None:
    path = onnx_models.save(
        tmp_path / "model.onnx",
        [
            ("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"], {}),
            ("DequantizeLinear", ["q", "scale", "zero"], ["y"], {}),
        ],
        [("x", onnx_models.FLOAT, ["n"])],
        [("y", onnx_models.FLOAT, ["n"])],
    )
    assert varies_with_batch(path)
    assert not varies_with_batch(locate(SILERO_VAD))
