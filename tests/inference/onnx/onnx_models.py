"""Tiny ONNX models in the layouts that published ones have, with weights of no meaning, made by the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32
Node = tuple[str, list[str], list[str], Mapping[str, Any]]
Value = tuple[str, int, Sequence[str | int]]
WORDS = "the plan is good bad we are happy sad angry no yes it was terrible wonderful page second where meeting".split()


def save(
    path: Path, nodes: Sequence[Node], inputs: Sequence[Value], outputs: Sequence[Value], **constants: NDArray[Any]
) -> Path:
    """Writes a graph; returns where."""
    graph = helper.make_graph(
        [helper.make_node(kind, taken, given, **attributes) for kind, taken, given, attributes in nodes],
        "test",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def random(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Normal numbers, the same each time."""
    return np.asarray(np.random.default_rng(seed).normal(size=shape), np.float32)


PROFILE = {
    "window_s": 1.5,
    "hop_s": 0.75,
    "split_similarity": 0.4,
    "merge_similarity": 0.7,
    "online_similarity": 0.4,
    "min_cluster_s": 1.5,
    "max_speakers": 8,
}


def encoder_description(**changes: object) -> dict[str, object]:
    """What lies beside ``speaker_encoder``."""
    return {
        "task": "speaker_vectors",
        "sample_rate_hz": 16000,
        "input": "mel",
        "mel": {"bands": 80, "n_fft": 512, "window_samples": 400, "hop_samples": 160, "window": "hann",
                "normalise": "per_feature", "log_guard": 2.0**-24, "preemphasis": 0.97},
        "dimension": 12,
        "profile": PROFILE,
        **changes,
    }  # fmt: skip


def speaker_encoder(path: Path, description: Mapping[str, object] | None = None, dimension: int = 12) -> Path:
    """As NeMo exports TitaNet: ``audio_signal`` (n, 80, t), ``length`` (n) -> ``logits``, ``embs`` (n, d).

    Vectors are the mean of squares over the frames, times ``random(80, d)``.
    """
    save(
        path,
        [
            ("Mul", ["audio_signal", "audio_signal"], ["power"], {}),
            ("ReduceSum", ["power", "time"], ["total"], {"keepdims": 0}),
            ("Cast", ["length"], ["frames"], {"to": FLOAT}),
            ("Unsqueeze", ["frames", "one"], ["count"], {}),
            ("Div", ["total", "count"], ["mean"], {}),
            ("MatMul", ["mean", "weights"], ["embs"], {}),
            ("MatMul", ["embs", "classes"], ["logits"], {}),
        ],
        [("audio_signal", FLOAT, ["n", 80, "t"]), ("length", INT64, ["n"])],
        [("logits", FLOAT, ["n", 3]), ("embs", FLOAT, ["n", dimension])],
        time=np.array([2]),
        one=np.array([1]),
        weights=random(80, dimension),
        classes=random(dimension, 3, seed=1),
    )
    path.with_suffix(".json").write_text(json.dumps(description or encoder_description()))
    return path


def sample_encoder(path: Path) -> Path:
    """``samples`` (n, t) -> ``vectors`` (n, 3): mean, mean square and mean of the absolute, of what is heard."""
    save(
        path,
        [
            ("Abs", ["samples"], ["size"], {}),
            ("Mul", ["samples", "samples"], ["power"], {}),
            ("ReduceMean", ["samples", "time"], ["a"], {"keepdims": 1}),
            ("ReduceMean", ["power", "time"], ["b"], {"keepdims": 1}),
            ("ReduceMean", ["size", "time"], ["c"], {"keepdims": 1}),
            ("Concat", ["a", "b", "c"], ["vectors"], {"axis": 1}),
        ],
        [("samples", FLOAT, ["n", "t"])],
        [("vectors", FLOAT, ["n", 3])],
        time=np.array([1]),
    )
    described = encoder_description(input="samples", mel=None, dimension=3)
    path.with_suffix(".json").write_text(json.dumps(described))
    return path


def kaldi_encoder(path: Path, kaldi: Mapping[str, object]) -> Path:
    """As WeSpeaker exports: ``feats`` (n, frames, 80) -> ``embs`` (n, 12), as ``speaker_encoder`` has them."""
    save(
        path,
        [
            ("Mul", ["feats", "feats"], ["power"], {}),
            ("ReduceMean", ["power", "time"], ["mean"], {"keepdims": 0}),
            ("MatMul", ["mean", "weights"], ["embs"], {}),
        ],
        [("feats", FLOAT, ["n", "t", 80])],
        [("embs", FLOAT, ["n", 12])],
        time=np.array([1]),
        weights=random(80, 12),
    )
    path.with_suffix(".json").write_text(json.dumps(encoder_description(input="kaldi", mel=None, kaldi=kaldi)))
    return path


def tokenizer(path: Path) -> Tokenizer:
    """RoBERTa's kind: byte pairs, with ``<pad>`` of id 1."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trained.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    trained.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    trained.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    trained.save(str(path))
    return trained


def text_inputs(dtype: int = INT64) -> list[Value]:
    """What text models take."""
    return [("input_ids", dtype, ["n", "t"]), ("attention_mask", dtype, ["n", "t"])]


def _states(width: int) -> tuple[list[Node], dict[str, NDArray[Any]]]:
    """``states`` (n, t, width): words plus their positions, counted as RoBERTa does, by what is not padding."""
    nodes: list[Node] = [
        ("Equal", ["input_ids", "pad"], ["is_pad"], {}),
        ("Not", ["is_pad"], ["is_token"], {}),
        ("Cast", ["is_token"], ["token"], {"to": INT64}),
        ("CumSum", ["token", "axis"], ["counted"], {}),
        ("Mul", ["counted", "token"], ["place"], {}),
        ("Gather", ["words", "input_ids"], ["embedded"], {}),
        ("Gather", ["places", "place"], ["placed"], {}),
        ("Add", ["embedded", "placed"], ["states"], {}),
    ]
    return nodes, {
        "pad": np.array(1),
        "axis": np.array(1),
        "words": random(400, width),
        "places": random(300, width, seed=1),
    }


def text_classifier(
    folder: Path, labels: Sequence[str] | None, outputs: int | None = None, *, name: str = "model.onnx", **config: Any
) -> Path:
    """``input_ids``, ``attention_mask`` -> ``logits`` (n, labels), with tokenizer.json and config.json."""
    count = outputs or len(labels or ())
    nodes, constants = _states(count)
    save(
        folder / name,
        [
            *nodes,
            ("Cast", ["attention_mask"], ["mask"], {"to": FLOAT}),
            ("Unsqueeze", ["mask", "last"], ["present"], {}),
            ("Mul", ["states", "present"], ["kept"], {}),
            ("ReduceSum", ["kept", "time"], ["logits"], {"keepdims": 0}),
        ],
        text_inputs(),
        [("logits", FLOAT, ["n", count])],
        last=np.array([2]),
        time=np.array([1]),
        **constants,
    )
    tokenizer(folder / "tokenizer.json")
    said = {"id2label": {str(i): label for i, label in enumerate(labels)}} if labels is not None else {}
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 258, **said, **config}))
    return folder


def text_encoder(folder: Path, width: int = 16, output: str = "last_hidden_state") -> Path:
    """``input_ids``, ``attention_mask`` -> ``last_hidden_state`` (n, t, width), with tokenizer.json."""
    nodes, constants = _states(width)
    save(
        folder / "model.onnx",
        [*nodes, ("Identity", ["states"], [output], {})],
        text_inputs(),
        [(output, FLOAT, ["n", "t", width])],
        **constants,
    )
    tokenizer(folder / "tokenizer.json")
    return folder
