"""Sentence encoders by path, in the layouts of Hugging Face's exports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnxruntime.quantization import quantize_dynamic
from safetensors.numpy import load_file

from inference.catalogue import MINILM, MINILM_TOKENIZER, locate
from inference.models import ModelUnfit
from inference.onnx.text.minilm_encoder import LAYERS, MiniLmEncoder, build_graph
from inference.onnx.text.sentence_encoder import OnnxSentenceEncoder
from inference.selection.model_probes import probe_text_encoder
from tests.inference.onnx import onnx_models
from tests.inference.onnx.onnx_models import FLOAT
from tests.inference.onnx.text.tiny_texts import SENTENCES, states


def test_a_sentences_vector_is_the_mean_of_its_tokens(tmp_path: Path) -> None:
    folder = onnx_models.text_encoder(tmp_path)
    encoder = OnnxSentenceEncoder(folder)
    assert encoder.dimension == 16
    vectors = encoder([*SENTENCES, " "])
    for sentence, vector in zip(SENTENCES, vectors, strict=False):
        mean = states(folder, sentence, 16).mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)
    assert not vectors[-1].any()
    probe_text_encoder(encoder)


def test_pooling_is_what_the_export_says(tmp_path: Path) -> None:
    folder = onnx_models.text_encoder(tmp_path)
    (folder / "1_Pooling").mkdir()
    settings = folder / "1_Pooling" / "config.json"
    settings.write_text(json.dumps({"word_embedding_dimension": 16, "pooling_mode_cls_token": True}))
    first = states(folder, SENTENCES[0], 16)[0]
    np.testing.assert_allclose(OnnxSentenceEncoder(folder)(SENTENCES[:1])[0], first / np.linalg.norm(first), atol=1e-5)
    settings.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(ModelUnfit, match="asks for pooling_mode_max_tokens; expected pooling_mode_mean_tokens or"):
        OnnxSentenceEncoder(folder)


def test_a_classifier_is_no_sentence_encoder(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, ["negative", "positive"])
    with pytest.raises(ModelUnfit, match=r"gives logits float \(\?, 2\); expected float sentence_embedding"):
        OnnxSentenceEncoder(folder)


def minilm_as_exported(folder: Path) -> Path:
    """The default encoder's own weights in the layout of a sentence-transformers export, with its tokenizer."""
    model = onnx.load_from_string(build_graph(load_file(locate(MINILM))))
    graph = model.graph
    last = f"y{LAYERS - 1}"
    kept = [
        node for node in graph.node if not {"present", "kept", "summed", "norm", "size", "vectors"} & {*node.output}
    ]
    for node in kept:
        node.input[:] = ["input_ids" if name == "ids" else name for name in node.input]
        node.output[:] = ["last_hidden_state" if name == last else name for name in node.output]
    made = helper.make_graph(
        [helper.make_node("Cast", ["attention_mask"], ["mask"], to=FLOAT), *kept],
        "minilm",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in onnx_models.text_inputs()],
        [helper.make_tensor_value_info("last_hidden_state", FLOAT, ["n", "t", 384])],
        list(graph.initializer),
    )
    exported = helper.make_model(made, opset_imports=list(model.opset_import), ir_version=10)
    onnx.checker.check_model(exported)
    onnx.save(exported, str(folder / "model.onnx"))
    (folder / "tokenizer.json").write_bytes(locate(MINILM_TOKENIZER).read_bytes())
    return folder


@pytest.mark.models
def test_a_real_encoder_gives_the_same_vectors_as_an_export(tmp_path: Path) -> None:
    ours = MiniLmEncoder(locate(MINILM), locate(MINILM_TOKENIZER))
    theirs = OnnxSentenceEncoder(minilm_as_exported(tmp_path))
    assert theirs.dimension == 384
    sentences = [*SENTENCES, "Wir treffen uns am Montag.", "a " * 400, ""]
    np.testing.assert_allclose(theirs(sentences), ours(sentences), atol=1e-5)


@pytest.mark.models
def test_a_quantised_encoder_reads_each_sentence_by_itself(tmp_path: Path) -> None:
    folder = minilm_as_exported(tmp_path)
    plain = OnnxSentenceEncoder(folder)(SENTENCES)
    quantize_dynamic(folder / "model.onnx", folder / "model_quantized.onnx")
    quantised = OnnxSentenceEncoder(folder / "model_quantized.onnx")
    together = quantised(SENTENCES)
    for sentence, vector in zip(SENTENCES, together, strict=True):
        assert np.array_equal(quantised([sentence])[0], vector)
    # Eight bits a number cost this little model something, and leave what a sentence says.
    assert ((together * plain).sum(axis=1) > 0.8).all()
    assert not np.array_equal(together, plain)
