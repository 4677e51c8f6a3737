"""Classifiers and sentence encoders by path, in the layouts of Hugging Face's exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.models import EMOTIONS, ModelCorrupt, ModelMissing, ModelUnfit
from inference.onnx.text.sentence_encoder import OnnxSentenceEncoder
from inference.onnx.text.text_classifier import OnnxEmotions, OnnxSentiment
from inference.selection.model_probes import probe_emotions, probe_sentiment
from inference.text.labels import map_emotions
from tests.inference.onnx import onnx_models
from tests.inference.onnx.onnx_models import FLOAT, INT64
from tests.inference.onnx.text.tiny_texts import SENTENCES, states

GO_EMOTIONS = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment "
    "disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride "
    "realization relief remorse sadness surprise neutral"
).split()
NOTHING = np.zeros((4, 1), np.float32)


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), np.float32)


def test_go_emotions_labels_become_emotions(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, GO_EMOTIONS, problem_type="multi_label_classification")
    emotions = OnnxEmotions(folder)
    found = emotions(SENTENCES, NOTHING)
    for sentence, row in zip(SENTENCES, found, strict=True):
        chances = 1 / (1 + np.exp(-states(folder, sentence, 28).sum(axis=0)))
        expected = np.zeros(6)
        for label, chance in zip(GO_EMOTIONS, chances, strict=True):
            place = map_emotions([label], {})[0]
            expected[place] = max(expected[place], chance)
        np.testing.assert_allclose(row, expected / expected.sum(), atol=1e-5)
    probe_emotions(emotions, 1)


def test_labels_of_one_choice_are_added_up(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, ["joy", "love", "Anger", "sadness"])
    row = OnnxEmotions(folder)(SENTENCES[:1], NOTHING[:1])[0]
    joy, love, anger, sadness = softmax(states(folder, SENTENCES[0], 4).sum(axis=0))
    assert row[EMOTIONS.index("happiness")] == pytest.approx(joy + love, abs=1e-5)
    assert row[EMOTIONS.index("anger")] == pytest.approx(anger, abs=1e-5)
    assert row[EMOTIONS.index("not_sure")] == pytest.approx(sadness, abs=1e-5)


def test_sentences_without_words_express_nothing(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, ["negative", "neutral", "positive"])
    assert OnnxSentiment(folder)(["", "12 ..."], NOTHING[:2]).tolist() == [0, 0]
    assert OnnxSentiment(folder)([], NOTHING[:0]).shape == (0,)
    row = OnnxEmotions(onnx_models.text_classifier(tmp_path / "b", ["joy", "anger"]))([" "], NOTHING[:1])[0]
    assert row.tolist() == [0, 0, 0, 0, 0, 1]


def test_polarity_is_the_mean_of_the_labels(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, ["negative", "neutral", "positive"])
    sentiment = OnnxSentiment(folder)
    for sentence, value in zip(SENTENCES, sentiment(SENTENCES, NOTHING), strict=True):
        negative, _, positive = softmax(states(folder, sentence, 3).sum(axis=0))
        assert value == pytest.approx(positive - negative, abs=1e-5)
    probe_sentiment(sentiment, 1)


@pytest.mark.parametrize("alone_of", ["classifier", "encoder"])
def test_a_sentence_is_read_the_same_alone_and_in_company(tmp_path: Path, alone_of: str) -> None:
    read: Callable[[list[str]], NDArray[np.float32]]
    if alone_of == "classifier":
        emotions = OnnxEmotions(onnx_models.text_classifier(tmp_path, GO_EMOTIONS))
        read = lambda sentences: emotions(sentences, NOTHING)  # noqa: E731
    else:
        read = OnnxSentenceEncoder(onnx_models.text_encoder(tmp_path))
    many = [*SENTENCES, "good " * 400, "where"]
    np.testing.assert_allclose(read(many), np.concatenate([read([sentence]) for sentence in many]), atol=1e-5)


def test_labels_may_lie_in_a_file_of_lines_or_of_json(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, None, outputs=3)
    with pytest.raises(ModelMissing, match=r"no labels beside .*model.onnx: put a labels.txt there"):
        OnnxSentiment(folder)
    (folder / "labels.json").write_text(json.dumps({"0": "positive", "1": "neutral", "2": "negative"}))
    by_json = OnnxSentiment(folder)(SENTENCES, NOTHING)
    (folder / "labels.txt").write_text("negative\nneutral\npositive\n")
    np.testing.assert_allclose(OnnxSentiment(folder)(SENTENCES, NOTHING), -by_json, atol=1e-6)


def test_what_labels_mean_may_be_said_beside_the_model(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, ["LABEL_0", "LABEL_1"])
    with pytest.raises(
        ModelUnfit, match=r'the labels LABEL_0, LABEL_1 is unknown.*\{"labels": \{"LABEL_0": ...\}\}.*anger'
    ):
        OnnxEmotions(folder)
    described = folder / "model.json"
    described.write_text(json.dumps({"labels": {"LABEL_0": "fear", "LABEL_1": "happiness"}, "scores": "softmax"}))
    row = OnnxEmotions(folder)(SENTENCES[:1], NOTHING[:1])[0]
    expected = softmax(states(folder, SENTENCES[0], 2).sum(axis=0))
    np.testing.assert_allclose(row, [0, 0, expected[0], expected[1], 0, 0], atol=1e-5)
    described.write_text(json.dumps({"labels": {"LABEL_0": -0.5, "LABEL_1": "positive"}}))
    value = OnnxSentiment(folder)(SENTENCES[:1], NOTHING[:1])[0]
    assert value == pytest.approx(-0.5 * expected[0] + expected[1], abs=1e-5)


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def saying(name: str, content: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(content)

    return write


def of_other_inputs(folder: Path) -> None:
    onnx_models.save(
        folder / "model.onnx",
        [("ReduceMean", ["pixels", "axes"], ["logits"], {"keepdims": 0})],
        [("pixels", FLOAT, ["n", 3, "w"])],
        [("logits", FLOAT, ["n", 3])],
        axes=np.array([2]),
    )


def of_other_outputs(folder: Path) -> None:
    onnx_models.save(
        folder / "model.onnx",
        [("Add", ["input_ids", "attention_mask"], ["sum"], {})],
        onnx_models.text_inputs(),
        [("sum", INT64, ["n", "t"])],
    )


@pytest.mark.parametrize(
    ("spoil", "kind", "said"),
    [
        (without("tokenizer.json"), ModelMissing, "no tokenizer.json beside"),
        (without("model.onnx"), ModelMissing, "holds no graph: name the .onnx file"),
        (saying("tokenizer.json", "{}"), ModelCorrupt, "tokenizer.json is not a tokenizer"),
        (saying("config.json", "{"), ModelCorrupt, "config.json is not valid JSON"),
        (saying("model.onnx", "graph"), ModelCorrupt, "model.onnx is not a usable ONNX model"),
        (
            saying("labels.txt", "negative\npositive\n"),
            ModelUnfit,
            "gives 3 scores per sentence, but there are 2 labels",
        ),
        (saying("labels.txt", "positive\npositive\npositive\n"), ModelCorrupt, "holds 3 labels; 2 to 1000 different"),
        (saying("labels.json", '{"1": "positive"}'), ModelCorrupt, "neither a list of labels nor an object"),
        (saying("model.json", '{"task": "emotions"}'), ModelUnfit, "task is 'emotions'; expected 'sentiment'"),
        (saying("model.json", '{"label": {}}'), ModelUnfit, "model.json: label: Extra inputs are not permitted"),
        (saying("model.json", '{"scores": "probabilities"}'), ModelUnfit, '"scores" says 0 to 1'),
        (of_other_inputs, ModelUnfit, r"model.onnx takes pixels float \(\?, 3, \?\); expected input_ids"),
        (of_other_outputs, ModelUnfit, r"gives sum int64 \(\?, \?\); expected one float output logits"),
    ],
)
def test_a_classifier_that_is_not_right_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], kind: type[Exception], said: str
) -> None:
    folder = onnx_models.text_classifier(tmp_path, ["negative", "neutral", "positive"])
    spoil(folder)
    with pytest.raises(kind, match=said):
        probe_sentiment(OnnxSentiment(folder), 1)


def test_the_files_of_an_export_may_lie_above_its_graphs(tmp_path: Path) -> None:
    labels = ["negative", "neutral", "positive"]
    made = onnx_models.text_classifier(tmp_path, labels, name="onnx/model_quantized.onnx")
    by_folder = OnnxSentiment(made)(SENTENCES, NOTHING)
    by_file = OnnxSentiment(made / "onnx" / "model_quantized.onnx")(SENTENCES, NOTHING)
    assert np.array_equal(by_folder, by_file)
    (made / "onnx" / "model_quantized.onnx").rename(made / "onnx" / "a.onnx")
    (made / "onnx" / "b.onnx").write_bytes(b"")
    with pytest.raises(ModelMissing, match=r"holds several graphs: name the .onnx file itself"):
        OnnxSentiment(made)
