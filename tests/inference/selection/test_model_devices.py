"""Which models run where is asked of what was loaded, not of what was set."""

from __future__ import annotations

from typing import Any

import pytest

from inference.models import ModelSet
from inference.onnx.runtime import CPU, CUDA
from inference.selection import model_devices
from inference.selection.model_devices import describe_devices, on_gpu


def made(package: str, **attributes: Any) -> Any:
    """An object of a class of a package."""
    return type("Made", (), {"__module__": f"{package}.inner", **attributes})()


class Holder:
    """A model that holds another thing."""

    def __init__(self, part: object) -> None:
        self._part = part


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (made("onnxruntime", get_providers=lambda _: [CUDA, CPU]), True),
        (made("onnxruntime", get_providers=lambda _: [CPU]), False),
        (made("ctranslate2", device="cuda"), True),
        (made("ctranslate2", device="cpu"), False),
        (made("torch", is_cuda=True), True),
        (made("torch", is_cuda=False), False),
        (made("nemo", parameters=lambda _: iter([made("torch", is_cuda=True)])), True),
        (made("nemo", parameters=lambda _: iter([made("torch", is_cuda=False)])), False),
        (made("elsewhere", device="cuda", is_cuda=True), False),
    ],
    ids=[
        "onnx gpu",
        "onnx cpu",
        "whisper gpu",
        "whisper cpu",
        "torch gpu",
        "torch cpu",
        "nemo gpu",
        "nemo cpu",
        "other",
    ],
)
def test_each_backend_says_where_it_runs(part: object, expected: bool) -> None:
    assert on_gpu(Holder(part)) is on_gpu(Holder(Holder(part))) is expected


def test_one_line_names_the_models_of_each_device() -> None:
    gpu, cpu = Holder(made("ctranslate2", device="cuda")), Holder(None)
    assert describe_devices({"words": gpu, "vad": cpu, "quality": cpu}) == "on the GPU: words; on the CPU: vad, quality"
    assert describe_devices({"words": gpu}) == "on the GPU: words; on the CPU: none"
    assert describe_devices({"words": cpu}) == "all models run on the CPU"


def test_parts_of_real_models_are_found(models: ModelSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model that computes holds something that can be asked; else it would be told to be on the CPU always."""
    asked: list[str] = []

    def note(part: Any) -> bool:
        asked.append(type(part).__module__.partition(".")[0])
        return False

    monkeypatch.setattr(model_devices, "_part_on_gpu", note)
    for model in (models.vad, models.encoder, models.segmenter, models.quality, models.text_encoder):
        asked.clear()
        on_gpu(model)
        assert "onnxruntime" in asked
    asked.clear()
    on_gpu(models.recogniser)
    assert "ctranslate2" in asked
