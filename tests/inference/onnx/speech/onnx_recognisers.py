"""Tiny recognisers in published ONNX layouts, with weights of no meaning, made by the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from inference.models import Samples
from tests.inference.onnx.onnx_models import FLOAT, INT32, INT64, Node, random, save, tokenizer

BLANK = "<blk>"
VOCABULARY = ["▁the", "▁plan", "▁go", "od", "▁is", "s", "▁a", "ing", "▁we", "▁no", ",", ".", "▁end", BLANK]
HIDDEN = 6
RATE = 16_000


def noises(*seconds: float) -> list[Samples]:
    """Noise of so many seconds each."""
    generator = np.random.default_rng(1)
    return [np.asarray(generator.normal(0, 0.1, int(s * RATE)), np.float32) for s in seconds]


def _vocabulary(folder: Path, kind: str) -> None:
    lines = [f"{token} {number}" for number, token in enumerate(VOCABULARY)]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": kind, "features_size": 80, "subsampling_factor": 8}))


CONVOLUTION: Mapping[str, Any] = {"kernel_shape": [8], "strides": [8], "pads": [0, 7]}


def conformer_ctc(folder: Path, kind: str = "nemo-conformer-ctc") -> Path:
    """``audio_signal`` (n, 80, t), ``length`` -> ``logprobs`` (n, ceil(t / 8), tokens), by one convolution."""
    save(
        folder / "model.onnx",
        [
            ("Conv", ["audio_signal", "weights"], ["scores"], CONVOLUTION),
            ("Transpose", ["scores"], ["by_time"], {"perm": [0, 2, 1]}),
            ("LogSoftmax", ["by_time"], ["logprobs"], {"axis": -1}),
        ],
        [("audio_signal", FLOAT, ["n", 80, "t"]), ("length", INT64, ["n"])],
        [("logprobs", FLOAT, ["n", "frames", len(VOCABULARY)])],
        weights=random(len(VOCABULARY), 80, 8) / np.float32(10),
    )
    _vocabulary(folder, "nemo-conformer-ctc" if kind == "nemo-conformer-ctc" else kind)
    return folder


def conformer_tdt(folder: Path) -> Path:
    """Parakeet's layout: an encoder, and a decoder with joint that also says how many frames to go on."""
    save(
        folder / "encoder-model.onnx",
        [
            ("Conv", ["audio_signal", "weights"], ["outputs"], CONVOLUTION),
            ("Add", ["length", "seven"], ["longer"], {}),
            ("Div", ["longer", "eight"], ["encoded_lengths"], {}),
        ],
        [("audio_signal", FLOAT, ["n", 80, "t"]), ("length", INT64, ["n"])],
        [("outputs", FLOAT, ["n", HIDDEN, "frames"]), ("encoded_lengths", INT64, ["n"])],
        weights=random(HIDDEN, 80, 8, seed=2) / np.float32(10),
        seven=np.array(7),
        eight=np.array(8),
    )
    scores = len(VOCABULARY) + 3  # three durations: 0, 1, 2 frames
    save(
        folder / "decoder_joint-model.onnx",
        [
            ("Transpose", ["encoder_outputs"], ["by_time"], {"perm": [0, 2, 1]}),
            ("MatMul", ["by_time", "joint"], ["heard"], {}),
            ("Gather", ["spoken", "targets"], ["said"], {}),
            ("Add", ["heard", "said"], ["sum"], {}),
            ("Unsqueeze", ["sum", "one"], ["outputs"], {}),
            ("Identity", ["input_states_1"], ["output_states_1"], {}),
            ("Identity", ["input_states_2"], ["output_states_2"], {}),
        ],
        [
            ("encoder_outputs", FLOAT, ["n", HIDDEN, 1]),
            ("targets", INT32, ["n", 1]),
            ("target_length", INT32, ["n"]),
            ("input_states_1", FLOAT, [1, "n", 4]),
            ("input_states_2", FLOAT, [1, "n", 4]),
        ],
        [
            ("outputs", FLOAT, ["n", 1, 1, scores]),
            ("output_states_1", FLOAT, [1, "n", 4]),
            ("output_states_2", FLOAT, [1, "n", 4]),
        ],
        joint=random(HIDDEN, scores, seed=3),
        spoken=random(len(VOCABULARY), scores, seed=4),
        one=np.array([1]),
    )
    _vocabulary(folder, "nemo-conformer-tdt")
    return folder


SAID_BY_WHISPER = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>", "Ġgood", "Ġmorning", "Ġall"]


def whisper(folder: Path) -> Path:
    """Hugging Face's layout of Whisper, with a decoder that says "good morning all", whatever it hears."""
    tokens = [*SAID_BY_WHISPER, "<|endoftext|>"]
    follows = np.eye(len(tokens), k=1, dtype=np.float32)
    save(
        folder / "onnx" / "encoder_model.onnx",
        [("ReduceMean", ["input_features", "axis"], ["last_hidden_state"], {"keepdims": 1})],
        [("input_features", FLOAT, ["n", 80, 3000])],
        [("last_hidden_state", FLOAT, ["n", 1, 3000])],
        axis=np.array([1]),
    )
    save(
        folder / "onnx" / "decoder_model_merged.onnx",
        [
            ("Gather", ["follows", "input_ids"], ["next"], {}),
            ("ReduceMax", ["encoder_hidden_states", "axes"], ["loudest"], {"keepdims": 1}),
            ("Mul", ["loudest", "nothing"], ["silent"], {}),
            ("Add", ["next", "silent"], ["logits"], {}),
        ],
        [("input_ids", INT64, ["n", "t"]), ("encoder_hidden_states", FLOAT, ["n", 1, 3000])],
        [("logits", FLOAT, ["n", "t", len(tokens)])],
        follows=follows,
        axes=np.array([1, 2]),
        nothing=np.array(0, np.float32),
    )
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens) if not t.startswith("<")}))
    (folder / "added_tokens.json").write_text(json.dumps({t: i for i, t in enumerate(tokens) if t.startswith("<")}))
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper", "num_mel_bins": 80}))
    return folder


MOONSHINE_SAYS = ["where", "is", "the", "page"]


def moonshine(folder: Path) -> Path:
    """Moonshine's layout: a decoder whose next token depends on how much its caches hold, of words and of audio."""
    words = tokenizer(folder / "tokenizer.json")
    said = words.encode(" ".join(MOONSHINE_SAYS), add_special_tokens=False).ids
    size = words.get_vocab_size()
    # Row n: what comes when n tokens are in the cache. 2 ends; whoever does not end there hears "page" for ever.
    follows = np.zeros((100, size), np.float32)
    follows[np.arange(1, 100), [*said, 2, *said[-1:] * (98 - len(said))]] = 5
    save(
        folder / "onnx" / "encoder_model.onnx",
        [("ReduceMean", ["input_values", "axis"], ["mean"], {"keepdims": 1}),
         ("Unsqueeze", ["mean", "axis"], ["last_hidden_state"], {})],
        [("input_values", FLOAT, ["n", "t"])],
        [("last_hidden_state", FLOAT, ["n", "frames", 1])],
        axis=np.array([1]),
    )  # fmt: skip
    shape: Sequence[str | int] = ["n", 1, "t", 1]

    def branch(name: str, nodes: Sequence[Node], output: str) -> onnx.GraphProto:
        made = [helper.make_node(kind, taken, given, **attributes) for kind, taken, given, attributes in nodes]
        return helper.make_graph(made, name, [], [helper.make_tensor_value_info(output, FLOAT, shape)])

    with_words: dict[str, Any] = {
        "then_branch": branch(
            "longer", [("Concat", ["past_key_values.0.decoder.key", "new"], ["a"], {"axis": 2})], "a"
        ),
        "else_branch": branch("first", [("Identity", ["new"], ["b"], {})], "b"),
    }
    with_audio: dict[str, Any] = {
        "then_branch": branch("none", [("Slice", ["heard", "zero", "zero"], ["c"], {})], "c"),
        "else_branch": branch("heard", [("Identity", ["heard"], ["d"], {})], "d"),
    }
    audio_kept: dict[str, Any] = {
        "then_branch": branch("kept", [("Identity", ["past_key_values.0.encoder.key"], ["e"], {})], "e"),
        "else_branch": branch("now", [("Identity", ["heard"], ["f"], {})], "f"),
    }
    save(
        folder / "onnx" / "decoder_model_merged.onnx",
        [
            ("Cast", ["input_ids"], ["token"], {"to": FLOAT}),
            ("Unsqueeze", ["token", "outer"], ["new"], {}),
            ("If", ["use_cache_branch"], ["present.0.decoder.key"], with_words),
            ("Mul", ["encoder_hidden_states", "nothing"], ["silent"], {}),
            ("Add", ["silent", "full"], ["ones"], {}),
            ("Unsqueeze", ["ones", "one"], ["heard"], {}),
            ("If", ["use_cache_branch"], ["present.0.encoder.key"], with_audio),
            ("If", ["use_cache_branch"], ["audio"], audio_kept),
            ("Shape", ["present.0.decoder.key"], ["length"], {"start": 2, "end": 3}),
            ("Gather", ["follows", "length"], ["row"], {}),
            ("Unsqueeze", ["row", "zero"], ["rows"], {}),
            # Without what was heard nothing is said.
            ("ReduceSum", ["audio"], ["there"], {"keepdims": 0}),
            ("Mul", ["rows", "there"], ["logits"], {}),
        ],
        [
            ("input_ids", INT64, ["n", "t"]),
            ("encoder_hidden_states", FLOAT, ["n", "frames", 1]),
            ("past_key_values.0.decoder.key", FLOAT, ["n", 1, "past", 1]),
            ("past_key_values.0.encoder.key", FLOAT, ["n", 1, "frames", 1]),
            ("use_cache_branch", TensorProto.BOOL, [1]),
        ],
        [
            ("logits", FLOAT, ["n", "t", size]),
            ("present.0.decoder.key", FLOAT, ["n", 1, "now", 1]),
            ("present.0.encoder.key", FLOAT, ["n", 1, "frames_now", 1]),
        ],
        follows=follows,
        outer=np.array([1, 3]),
        one=np.array([1]),
        zero=np.array([0]),
        nothing=np.array(0, np.float32),
        full=np.array(1, np.float32),
    )  # fmt: skip
    (folder / "config.json").write_text(
        json.dumps({"model_type": "moonshine", "decoder_start_token_id": 0, "eos_token_id": 2})
    )
    return folder
