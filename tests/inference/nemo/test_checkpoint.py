"""A .nemo file from anywhere is loaded as data, or refused with a reason; nothing of it runs."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit
from tests.optional_packages import WITHOUT_NEMO

pytest.importorskip("nemo", reason=WITHOUT_NEMO)

import torch
import yaml

from benchmarks.random_sortformer import SMALL, sortformer_config
from inference.nemo import configuration
from inference.nemo.archive import CONFIG, WEIGHTS
from inference.nemo.checkpoint import load_checkpoint
from tests.inference.nemo.archives import write_archive
from tests.inference.nemo.tiny_models import speaker_encoder

SORTFORMER = {"SortformerEncLabelModel"}

pytestmark = pytest.mark.usefixtures("nemo")


def load(path: Path) -> Any:
    return load_checkpoint(path, SORTFORMER, device="cpu")


@pytest.fixture
def with_config(members: dict[str, bytes], tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """A checkpoint whose configuration was changed."""

    def change(how: Callable[[dict[str, Any]], None]) -> Path:
        config = yaml.safe_load(members[CONFIG])
        how(config)
        return write_archive(tmp_path / "changed.nemo", {**members, CONFIG: yaml.safe_dump(config).encode()})

    return change


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="NeMo's own loading needs Python 3.11.4 or newer")
def test_a_checkpoint_of_nemo_is_loaded_whole(sortformer_file: Path) -> None:
    from nemo.collections.asr.models import SortformerEncLabelModel

    ours, theirs = load(sortformer_file), SortformerEncLabelModel.restore_from(str(sortformer_file), map_location="cpu")
    assert not ours.training
    assert ours.streaming_mode
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert all(torch.equal(ours.state_dict()[name], tensor) for name, tensor in theirs.state_dict().items())


def test_a_gzipped_checkpoint_is_loaded(sortformer_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "old.nemo"
    path.write_bytes(gzip.compress(sortformer_file.read_bytes()))
    assert type(load(path)).__name__ == "SortformerEncLabelModel"


def test_weights_take_the_dtype_and_the_front_end_does_not(sortformer_file: Path) -> None:
    model = load_checkpoint(sortformer_file, SORTFORMER, device="cpu", dtype="bfloat16")
    assert {parameter.dtype for parameter in model.encoder.parameters()} == {torch.bfloat16}
    assert model.preprocessor.featurizer.fb.dtype == torch.float32


def test_a_missing_file_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"no model at .*titanet.nemo; download it with: meetra models pull titanet"):
        load(tmp_path / "titanet.nemo")


def test_a_model_of_another_class_is_unfit(tmp_path: Path) -> None:
    path = tmp_path / "speakers.nemo"
    speaker_encoder().save_to(str(path))
    with pytest.raises(ModelUnfit, match=r"speakers.nemo holds a EncDecSpeakerLabelModel; expected Sortformer"):
        load(path)
    assert type(load_checkpoint(path, {"EncDecSpeakerLabelModel"}, device="cpu")).__name__ == "EncDecSpeakerLabelModel"


def test_weights_of_another_shape_are_unfit(with_config: Callable[[Any], Path]) -> None:
    def wider(config: dict[str, Any]) -> None:
        config["encoder"]["n_layers"] = 3

    with pytest.raises(ModelUnfit, match=r"changed.nemo: model_weights.ckpt does not match its model_config.yaml"):
        load(with_config(wider))


# Classes and functions that begin rightly, or do not: none is ever built or called.
EVIL = (
    "os.system",
    "builtins.exec",
    "subprocess.Popen",
    "nemo.collections.asr.modules.conv_asr.torch.load",
    "nemo.collections.asr.parts.utils.manifest_utils.os.system",
    "nemo.collections.asr.modules.audio_preprocessing.random.seed",
    "nemo.collections.asr.models.SortformerEncLabelModel.restore_from",
    "nemo.collections.asr.models.EncDecSpeakerLabelModel",
    "nemo.collections.asr.data.audio_to_text.AudioToBPEDataset",
    "nemo.collections.asr.nothing.Here",
    "nemo.utils.exp_manager.exp_manager",
    "torch.nn.Linear",
    "${oc.env:HOME}",
)


@pytest.mark.parametrize("target", EVIL)
@pytest.mark.parametrize("place", ["encoder", "loss", "sortformer_modules"])
def test_no_class_but_neural_modules_of_nemo_is_named(
    with_config: Callable[[Any], Path], target: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nemo.core.classes.common as instantiation

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("something was built")

    # Not in place of anything the test needs: it must not be reached.
    monkeypatch.setattr(instantiation, "safe_instantiate", never)
    monkeypatch.setattr(instantiation.hydra.utils, "instantiate", never)
    with pytest.raises(ModelCorrupt, match=r"changed\.nemo: "):
        load(with_config(lambda config: config[place].update({"_target_": target})))


@pytest.mark.parametrize("key", ["_target_", "cls", "target"])
def test_a_class_is_found_however_deep_it_is(with_config: Callable[[Any], Path], key: str, tmp_path: Path) -> None:
    def hide(config: dict[str, Any]) -> None:
        config["encoder"]["adapter"] = [{"deep": {key: "os.system", "params": {"command": f"touch {tmp_path}/ran"}}}]

    with pytest.raises(ModelCorrupt, match=rf"encoder\.adapter\.0\.deep\.{key}: 'os.system' is not a neural module"):
        load(with_config(hide))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("target", ["os.system", "nemo.collections.asr.models.x.SortformerEncLabelModel", None, 3])
def test_the_model_itself_is_one_of_the_list(with_config: Callable[[Any], Path], target: Any) -> None:
    with pytest.raises(ModelCorrupt, match="is not a supported model; supported: "):
        load(with_config(lambda config: config.update(target=target)))


def test_what_is_of_training_is_not_even_looked_at(with_config: Callable[[Any], Path]) -> None:
    def train(config: dict[str, Any]) -> None:
        config["train_ds"] = {"dataset": {"_target_": "os.system"}, "manifest_filepath": "/data/train.json"}
        config["optim"] = {"name": "adamw", "sched": {"_target_": "os.system"}}

    assert "train_ds" not in load(with_config(train)).cfg


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a: !!python/object/apply:os.system ['touch ran']", "not plain YAML"),
        (b"a: &x [1, 2]\nb: [*x, *x]", "uses aliases"),
        (b"[" * 200_000, "too deep"),
        (b"a: [" + b"1," * 300_000 + b"1]", "more than 200000 values"),
        (b"- 1", "not a mapping"),
        (b"encoder: {n_layers: 1000000}", "n_layers: 1000000 is more than 256"),
        (b"encoder: {d_model: 100000000000}", "d_model: 100000000000 is more than"),
        (b"a: ${b}${b}\nb: x", "not a reference to a plain value"),
        (b"a: ${oc.env:PATH}", "not a reference to a plain value"),
        (b"a: ${b}\nb: {c: 1}", "not a reference to a plain value"),
        (b"a: {b: '${a.b}'}", "not a reference to a plain value"),
        (b"\xff\xfe\x00", "not plain YAML"),
    ],
    ids=[
        "object",
        "alias",
        "deep",
        "long",
        "list",
        "layers",
        "width",
        "growing",
        "environment",
        "tree",
        "loop",
        "bytes",
    ],
)
def test_a_configuration_is_plain_and_bounded(text: bytes, reason: str) -> None:
    with pytest.raises(ModelCorrupt, match=reason):
        configuration.read_configuration(text, "x.nemo")


def test_a_reference_to_a_value_is_followed() -> None:
    read = configuration.read_configuration(b"a: {b: 3}\nc: {d: ['${a.b}']}", "x.nemo")
    assert read == {"a": {"b": 3}, "c": {"d": [3]}}


class Runs:
    """Unpickled, it would run a command."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._mark,))


def saved(content: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def test_a_pickle_that_would_run_is_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    evil = {**members, WEIGHTS: saved({"encoder.weight": Runs(mark)})}
    with pytest.raises(ModelCorrupt, match=r"evil.nemo: model_weights.ckpt holds objects other than tensors"):
        load(write_archive(tmp_path / "evil.nemo", evil))
    assert not mark.exists()


@pytest.mark.parametrize("legacy", ["pickle", "torch"])
def test_weights_that_are_no_zip_are_refused(members: dict[str, bytes], tmp_path: Path, legacy: str) -> None:
    mark = tmp_path / "ran"
    if legacy == "pickle":
        content = pickle.dumps(Runs(mark))
    else:
        content = saved({"x": Runs(mark)}, _use_new_zipfile_serialization=False)
    with pytest.raises(ModelCorrupt, match=r"model_weights.ckpt is not a file of torch.save"):
        load(write_archive(tmp_path / "evil.nemo", {**members, WEIGHTS: content}))
    assert not mark.exists()


def test_compressed_weights_are_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("weights/data/0", bytes(10_000_000))
    with pytest.raises(ModelCorrupt, match="compressed data"):
        load(write_archive(tmp_path / "bomb.nemo", {**members, WEIGHTS: packed.getvalue()}))


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {1: 2}])
def test_weights_are_a_dictionary_of_tensors(members: dict[str, bytes], tmp_path: Path, content: Any) -> None:
    with pytest.raises(ModelCorrupt, match="not a dictionary of tensors"):
        load(write_archive(tmp_path / "odd.nemo", {**members, WEIGHTS: saved(content)}))


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzipped"])
def test_a_file_cut_short_anywhere_is_corrupt(sortformer_file: Path, tmp_path: Path, zipped: bool) -> None:
    whole = gzip.compress(sortformer_file.read_bytes()) if zipped else sortformer_file.read_bytes()
    path = tmp_path / "short.nemo"
    for share in (0, 0.001, 0.01, 0.3, 0.5, 0.9, 0.97):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ModelCorrupt, match=r"short.nemo"):
            load(path)


@pytest.mark.parametrize("content", [b"", b"not a tar" * 100, bytes(10_240), b"<html>no such model</html>"])
def test_what_is_no_archive_is_corrupt(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "page.nemo").write_bytes(content)
    with pytest.raises(ModelCorrupt, match=r"page.nemo"):
        load(path)


def test_a_fetched_tokenizer_is_refused() -> None:
    config = {**sortformer_config(SMALL), "tokenizer": {"type": "wpe", "dir": "x"}}
    with pytest.raises(ModelCorrupt, match=r"tokenizer\.type: wpe tokenizers are not supported"):
        configuration.check_classes(config, "x.nemo")


def test_loading_is_silent(sortformer_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(sortformer_file)
    assert capfd.readouterr() == ("", "")
