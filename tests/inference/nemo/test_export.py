"""Exports to ONNX: what the graphs give against torch, and against the backends that run them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.random_speaker_encoder import speaker_encoder
from benchmarks.random_speech_models import KINDS, recogniser, speechlike, train_tokenizer
from inference.models import ModelMissing, ModelUnfit
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

WINDOWS = [speechlike(seconds, seed) for seed, seconds in enumerate((1.5, 0.73, 3.0, 0.41, 1.5, 7.1))]
PIECES_OF_SPEECH = [speechlike(seconds, seed) for seed, seconds in enumerate((3.0, 1.1, 5.77, 12.0))]


def exported(model: Any, folder: Path, name: str = "model-of-a-test", **more: Any) -> tuple[Path, Path]:
    """The checkpoint and the folder it was exported into."""
    from inference.nemo.export import export

    source = folder / f"{name}.nemo"
    model.save_to(str(source))
    done = export(source, folder / "exported", **more)
    assert set(done.files) == set((folder / "exported").iterdir())
    assert done.max_difference < 1e-4
    return source, folder / "exported"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module", params=KINDS)
def exported_recogniser(
    request: pytest.FixtureRequest, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Path]:
    model = recogniser(request.param, tokenizer)
    return request.param, *exported(model, tmp_path_factory.mktemp("recogniser"), task="speech_recognition")


@pytest.mark.parametrize(("input_kind", "conv_mask"), [("samples", True), ("mel", True), ("samples", False)])
def test_exported_speaker_encoder_gives_the_vectors_of_torch(input_kind: str, conv_mask: bool, tmp_path: Path) -> None:
    from inference.nemo.speaker_encoder import load_speaker_encoder
    from inference.onnx.speakers.speaker_encoder import OnnxSpeakerEncoder

    source, folder = exported(speaker_encoder(conv_mask=conv_mask), tmp_path, input_kind=input_kind)
    encoder = load_speaker_encoder(source, device="cpu", dtype="float32")
    on_onnx = OnnxSpeakerEncoder(folder / "model-of-a-test.onnx")
    assert np.abs(on_onnx(WINDOWS) - encoder(WINDOWS)).max() < 1e-4
    assert on_onnx.profile == encoder.profile


def test_windows_of_different_lengths_go_together_in_the_exported_speaker_encoder(tmp_path: Path) -> None:
    import onnxruntime as ort

    from inference.nemo.speaker_encoder import load_speaker_encoder

    source, folder = exported(speaker_encoder(), tmp_path)
    session = ort.InferenceSession(str(folder / "model-of-a-test.onnx"))
    padded = np.zeros((len(WINDOWS), max(map(len, WINDOWS))), np.float32)
    for row, window in zip(padded, WINDOWS, strict=True):
        row[: len(window)] = window
    (vectors,) = session.run(["vectors"], {"samples": padded, "lengths": np.array([len(w) for w in WINDOWS])})
    expected = load_speaker_encoder(source, device="cpu", dtype="float32")(WINDOWS)
    assert np.abs(vectors - expected).max() < 1e-4


def test_the_description_says_what_was_exported_and_from_what(tmp_path: Path) -> None:
    source, folder = exported(speaker_encoder(), tmp_path)
    said = json.loads((folder / "model-of-a-test.json").read_text("utf-8"))
    assert (said["task"], said["sample_rate_hz"], said["input"], said["dimension"]) == (
        "speaker_vectors",
        16_000,
        "samples",
        16,
    )
    assert said["mel"] == {
        "bands": 80,
        "n_fft": 512,
        "window_samples": 400,
        "hop_samples": 160,
        "window": "hann",
        "normalise": "per_feature",
        "log_guard": 2.0**-24,
        "preemphasis": 0.97,
    }
    assert said["source"] == {
        "file": "model-of-a-test.nemo",
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    assert said["profile"]["window_s"] == 1.5
    assert {"nemo", "torch", "onnx"} <= set(said["made_with"])
    assert 0 <= said["verified"]["largest_difference"] < 1e-4


def test_exported_sortformer_step_gives_the_probabilities_of_torch(tmp_path: Path) -> None:
    """Sessions of every age in one call, each as torch has it alone."""
    import onnxruntime as ort
    import torch

    from inference.nemo.checkpoint import load_checkpoint
    from tests.inference.nemo.tiny_models import sortformer

    source, folder = exported(sortformer(), tmp_path, task="diarization")
    model = load_checkpoint(source, ("SortformerEncLabelModel",), device="cpu")
    session = ort.InferenceSession(str(folder / "model-of-a-test.onnx"))
    width, bands = model.sortformer_modules.fc_d_model, model.cfg.preprocessor.features
    torch.manual_seed(5)
    for sessions in (((96, 0, 0),), ((96, 3, 0), (40, 188, 20), (120, 0, 0)), ((200, 188, 188), (8, 1, 1))):
        lengths = torch.tensor(sessions)
        parts = [torch.randn(len(sessions), int(lengths[:, i].max()), (bands, width, width)[i]) for i in range(3)]
        names = ("chunk", "spkcache", "fifo")
        feed = {name: part.numpy() for name, part in zip(names, parts, strict=True)}
        feed |= {f"{name}_lengths": lengths[:, i].numpy() for i, name in enumerate(names)}
        preds, embeddings, frames = session.run(["preds", "chunk_embs", "chunk_emb_lengths"], feed)
        for row, counts in enumerate(sessions):
            own = [part[row : row + 1, :count] for part, count in zip(parts, counts, strict=True)]
            given = [value for part in own for value in (part, torch.tensor([part.shape[1]]))]
            with torch.inference_mode():
                expected = model.forward_for_export(*given)
            assert np.abs(preds[row, : expected[0].shape[1]] - expected[0][0].numpy()).max() < 1e-4
            assert np.abs(embeddings[row, : expected[1].shape[1]] - expected[1][0].numpy()).max() < 1e-4
            assert frames[row] == expected[2][0]


def test_packing_to_the_left_is_that_of_nemo() -> None:
    import torch
    from nemo.collections.asr.modules.sortformer_modules import SortformerModules

    from inference.nemo.export_sortformer import pack_left

    torch.manual_seed(3)
    embeddings = [torch.randn(3, frames, 4) for frames in (6, 0, 5)]
    lengths = [torch.tensor([6, 0, 2]), torch.tensor([0, 0, 0]), torch.tensor([5, 4, 1])]
    packed, total = pack_left(embeddings, lengths)
    of_nemo, lengths_of_nemo = SortformerModules.concat_and_pad(embeddings, lengths)
    assert torch.equal(total, lengths_of_nemo)
    assert torch.equal(packed[:, : of_nemo.shape[1]], of_nemo)
    assert not packed[:, of_nemo.shape[1] :].any()


def test_exported_recogniser_gives_the_words_of_nemo(exported_recogniser: tuple[str, Path, Path]) -> None:
    onnx_asr = pytest.importorskip("onnx_asr")
    from inference.nemo.checkpoint import load_checkpoint
    from inference.nemo.recogniser import RECOGNISERS

    kind, source, folder = exported_recogniser
    model = load_checkpoint(source, RECOGNISERS, device="cpu")
    on_onnx = onnx_asr.load_model(f"nemo-conformer-{'rnnt' if kind == 'hybrid' else kind}", str(folder))
    texts = [text.split() for text in on_onnx.recognize(PIECES_OF_SPEECH, sample_rate=16_000)]
    expected = [answer.text.split() for answer in model.transcribe(PIECES_OF_SPEECH, verbose=False, batch_size=1)]
    assert sum(map(len, expected)) > 40
    # onnx-asr writes an unknown piece and spaces around punctuation in its own way.
    assert [_letters(words) for words in texts] == [_letters(words) for words in expected]


def test_the_checkpoint_and_its_export_say_the_same_words_at_the_same_times(
    exported_recogniser: tuple[str, Path, Path],
) -> None:
    pytest.importorskip("onnx_asr")
    from inference.nemo.recogniser import load_recogniser
    from inference.onnx.speech.recogniser import OnnxRecogniser

    kind, source, folder = exported_recogniser
    on_torch = load_recogniser(source, device="cpu", dtype="float32", languages=["en"])(PIECES_OF_SPEECH)
    on_onnx = OnnxRecogniser(folder, languages=["en"])(PIECES_OF_SPEECH)
    for words, others in zip(on_torch, on_onnx, strict=True):
        assert [word.text for word in words] == [word.text for word in others]
        starts_s, others_start_s = [word.start_s for word in words], [word.start_s for word in others]
        if kind == "ctc":
            # A frame of the encoder: each decoder has its own rule, and its own for how sure it is.
            assert starts_s == pytest.approx(others_start_s, abs=0.081)
            continue
        assert starts_s == pytest.approx(others_start_s, abs=1e-6)
        assert [word.confidence for word in words] == pytest.approx([word.confidence for word in others], abs=0.05)


def _letters(words: list[str]) -> str:
    return "".join("".join(words).replace("⁇", "").replace("<unk>", "").split())


def test_exported_recogniser_has_the_published_layout(exported_recogniser: tuple[str, Path, Path]) -> None:
    kind, _, folder = exported_recogniser
    graphs = {"model.onnx"} if kind == "ctc" else {"encoder-model.onnx", "decoder_joint-model.onnx"}
    assert {file.name for file in folder.iterdir()} == graphs | {"vocab.txt", "config.json", "model-of-a-test.json"}
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["model_type"] == f"nemo-conformer-{'rnnt' if kind == 'hybrid' else kind}"
    assert config["features_size"] == 80
    assert config["subsampling_factor"] == 8
    lines = (folder / "vocab.txt").read_text("utf-8").splitlines()
    assert lines[-1] == "<blk> 48"
    assert [int(line.split(" ")[1]) for line in lines] == list(range(49))
    said = json.loads((folder / "model-of-a-test.json").read_text("utf-8"))
    assert said["task"] == "speech_recognition"
    assert said["frame_s"] == pytest.approx(0.08)


def test_weights_too_large_for_one_file_go_to_one_beside(tokenizer: Path, tmp_path: Path) -> None:
    import onnxruntime as ort

    from inference.nemo.checkpoint import load_checkpoint
    from inference.nemo.export_recogniser import export_recogniser

    source = tmp_path / "large.nemo"
    recogniser("ctc", tokenizer).save_to(str(source))
    model = load_checkpoint(source, ("EncDecCTCModelBPE",), device="cpu")
    done = export_recogniser(model, source, tmp_path / "out", lambda _: None, external_bytes=100_000)
    weights = tmp_path / "out" / "model.onnx.data"
    assert weights in done.files
    assert weights.stat().st_mode == (tmp_path / "out" / "model.onnx").stat().st_mode
    ort.InferenceSession(str(tmp_path / "out" / "model.onnx"))


def test_a_front_end_that_the_layout_cannot_say_is_refused(tokenizer: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnfit, match="normalise = none"):
        exported(recogniser("rnnt", tokenizer, streaming=True), tmp_path)
    assert not (tmp_path / "exported").exists()


def test_a_graph_that_differs_from_torch_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    import torch

    from inference.nemo.onnx_export import ExportUnverified

    model = speaker_encoder()
    with torch.no_grad():
        model.decoder.emb_layers[0][1].bias[0] = float("nan")
    with pytest.raises(ExportUnverified, match=r"model-of-a-test\.onnx: vectors of windows of \(1\.5,\) s"):
        exported(model, tmp_path)
    assert list((tmp_path / "exported").iterdir()) == []


def test_the_comparison_lets_nothing_through_that_is_off_by_more_than_the_tolerance(tmp_path: Path) -> None:
    from inference.nemo.onnx_export import ExportUnverified, Verification

    _, folder = exported(speaker_encoder(), tmp_path)
    checked = Verification(folder / "model-of-a-test.onnx")
    checked.compare("a", np.array([1.0, 2.0]), np.array([1.0, 2.0001]))
    assert checked.max_difference == pytest.approx(5e-5, rel=1e-2)
    checked.compare("large values by their share", np.array([1000.05]), np.array([1000.0]))
    for found in (np.array([0.1002]), np.array([np.nan]), np.array([0.1, 0.1])):
        with pytest.raises(ExportUnverified):
            checked.compare("b", found, np.array([0.1]))


def test_what_is_there_is_replaced_only_when_told(tmp_path: Path) -> None:
    source, folder = exported(speaker_encoder(), tmp_path)
    from inference.nemo.export import export

    before = (folder / "model-of-a-test.onnx").stat().st_mtime_ns
    with pytest.raises(ModelUnfit, match="already exists; choose another folder, or give --overwrite"):
        export(source, folder)
    assert (folder / "model-of-a-test.onnx").stat().st_mtime_ns == before
    export(source, folder, overwrite=True)
    assert (folder / "model-of-a-test.onnx").stat().st_mtime_ns > before


def test_the_command_says_what_it_does_and_what_went_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from inference.nemo.export import EXIT_FAILED, EXIT_MISSING, EXIT_UNFIT, main

    source = tmp_path / "titanet.nemo"
    speaker_encoder().save_to(str(source))
    assert main([str(source), str(tmp_path / "out"), "--task", "diarization"]) == EXIT_UNFIT
    assert "titanet.nemo holds a EncDecSpeakerLabelModel" in capsys.readouterr().err
    assert main([str(source), str(tmp_path / "out"), "--task", "speaker_vectors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "reading titanet.nemo"
    assert [line for line in lines if line.startswith("wrote ")] == [
        f"wrote {file} ({file.stat().st_size} bytes)"
        for file in (tmp_path / "out" / "titanet.onnx", tmp_path / "out" / "titanet.json")
    ]
    assert main([str(tmp_path / "none.nemo"), str(tmp_path / "out")]) == EXIT_MISSING
    assert "none.nemo" in capsys.readouterr().err
    (tmp_path / "bad.nemo").write_bytes(b"not a checkpoint" * 100)
    assert main([str(tmp_path / "bad.nemo"), str(tmp_path / "out")]) == EXIT_UNFIT
    capsys.readouterr()
    assert main([str(source), str(source / "below-a-file")]) == EXIT_FAILED
    assert "Not a directory" in capsys.readouterr().err


def test_unknown_tasks_and_inputs_are_refused_by_name(tmp_path: Path) -> None:
    from inference.nemo.export import export

    with pytest.raises(ModelUnfit, match="task: 'translation' is unknown"):
        export(tmp_path / "a.nemo", tmp_path, task="translation")
    with pytest.raises(ModelUnfit, match="input: 'text' is unknown"):
        export(tmp_path / "a.nemo", tmp_path, input_kind="text")
    with pytest.raises(ModelMissing):
        export(tmp_path / "a.nemo", tmp_path)
