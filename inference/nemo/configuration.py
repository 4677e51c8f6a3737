"""Reading a checkpoint's ``model_config.yaml`` as data, and checking every class it names.

NeMo passes such a configuration to Hydra, which calls whatever ``_target_`` names. A checkpoint is an untrusted file:
it may name NeMo's own neural modules and losses, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from inference.models import ModelCorrupt, ModelUnfit

MODELS: Mapping[str, str] = {
    "SortformerEncLabelModel": "nemo.collections.asr.models.sortformer_diar_models",
    "EncDecSpeakerLabelModel": "nemo.collections.asr.models.label_models",
    "EncDecRNNTBPEModel": "nemo.collections.asr.models.rnnt_bpe_models",
    "EncDecHybridRNNTCTCBPEModel": "nemo.collections.asr.models.hybrid_rnnt_ctc_bpe_models",
    "EncDecCTCModelBPE": "nemo.collections.asr.models.ctc_bpe_models",
}
"""The models that can be loaded, and the module of each."""

MODULE_PACKAGES = ("nemo.collections.asr.modules.", "nemo.collections.asr.losses.", "nemo.collections.common.losses.")
"""The packages that a model's parts may come from."""

MAX_NODES = 200_000
MAX_DEPTH = 32
MAX_LAYERS = 256
MAX_NUMBER = 10_000_000

_REFERENCE = re.compile(r"\$\{([A-Za-z_][\w.]*)\}")
_TARGET_KEYS = ("_target_", "cls", "target")
# Used in training only: never built here, so the classes they name are harmless.
_TRAINING_KEYS = ("train_ds", "validation_ds", "test_ds", "optim", "exp_manager", "trainer", "init_from_nemo_model",
                "init_from_ptl_ckpt", "init_from_pretrained_model")  # fmt: skip


def read_configuration(text: bytes, archive: str) -> dict[str, Any]:
    """Read a configuration, resolve its references, and drop the keys of training.

    Raises:
        ModelCorrupt: it is not plain YAML, or larger than any model's.
    """
    import yaml  # it comes with NeMo

    try:
        _check_events(text, archive)
        # The safe loader builds plain values only.
        content = yaml.load(text, yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
        raise ModelCorrupt(f"{archive}: model_config.yaml is not plain YAML: {_first_line(error)}") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ModelCorrupt(f"{archive}: model_config.yaml is not a mapping")
    config = {key: value for key, value in content.items() if key not in _TRAINING_KEYS}
    _check_numbers(config, archive)
    return {key: _resolve(value, content, archive) for key, value in config.items()}


def model_class(config: Mapping[str, Any], archive: str, wanted: Collection[str]) -> str:
    """Return the class name of the whole model, one of ``wanted``.

    Raises:
        ModelUnfit: it is another of MODELS.
        ModelCorrupt: it is none of MODELS.
    """
    target = config.get("target")
    name = str(target).rpartition(".")[2]
    if name not in MODELS or target not in (f"{MODELS[name]}.{name}", f"nemo.collections.asr.models.{name}"):
        raise ModelCorrupt(f"{archive}: target: {target!r} is not a supported model; supported: {', '.join(MODELS)}")
    if name not in wanted:
        raise ModelUnfit(f"{archive} holds a {name}; expected {' or '.join(sorted(wanted))}")
    return name


def check_classes(config: Mapping[str, Any], archive: str) -> None:
    """Check every class that the configuration names, without building one.

    Raises:
        ModelCorrupt: one is not a neural module or loss of NeMo, or a tokenizer would have to be fetched.
    """
    for path, node in _mappings(config, ""):
        for key in _TARGET_KEYS:
            if key in node and not (path == "" and key == "target"):
                _check_target(node[key], f"{path}{key}", archive)
        if node.get("type") == "wpe":
            raise ModelCorrupt(
                f"{archive}: {path}type: wpe tokenizers are not supported, as they load external files; use bpe"
            )


def _check_target(target: Any, path: str, archive: str) -> None:
    refusal = ModelCorrupt(
        f"{archive}: {path}: {target!r} is not a neural module of NeMo; the checkpoint is refused, as it could run code"
    )
    if (
        not isinstance(target, str)
        or not target.startswith(MODULE_PACKAGES)
        or not target.replace(".", "").isidentifier()
    ):
        raise refusal
    import importlib

    from torch import nn

    module, _, name = target.rpartition(".")
    try:
        part = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ModelCorrupt(
            f"{archive}: {path}: {target!r} is not in the installed NeMo; install the version it was made with"
        ) from error
    part = getattr(part, "__wrapped__", part)
    # Modules import others: nemo...conv_asr.torch.load has an allowed prefix too.
    if not (isinstance(part, type) and issubclass(part, nn.Module) and part.__module__.startswith(MODULE_PACKAGES)):
        raise refusal


def _mappings(node: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from _mappings(value, f"{path}{key}.")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _mappings(value, f"{path}{index}.")


def _check_events(text: bytes, archive: str) -> None:
    """Reject, before any of it is built, text that would take far more memory or time than its length suggests."""
    import yaml

    depth = 0
    for count, event in enumerate(yaml.parse(text, yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise ModelCorrupt(f"{archive}: model_config.yaml uses aliases; no NeMo checkpoint does")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > MAX_NODES:
            raise ModelCorrupt(f"{archive}: model_config.yaml holds more than {MAX_NODES} values or is too deep")


def _check_numbers(config: Any, archive: str) -> None:
    """Bound numbers of layers and widths: they multiply into memory before any weight is read."""
    waiting: list[tuple[str, Any]] = [("", config)]
    while waiting:
        key, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [(str(name), value) for name, value in node.items()]
        elif isinstance(node, list):
            waiting += [(key, value) for value in node]
        elif isinstance(node, int | float) and not isinstance(node, bool):
            limit = MAX_LAYERS if key.endswith(("layers", "repeat")) else MAX_NUMBER
            if abs(node) > limit and abs(node) != float("inf"):
                raise ModelCorrupt(f"{archive}: model_config.yaml: {key}: {node} is more than {limit}")


def _resolve(node: Any, root: Mapping[str, Any], archive: str) -> Any:
    """Replace ``${a.b}`` by the plain value there; any other ``${`` could read the environment or grow unbounded."""
    if isinstance(node, dict):
        return {key: _resolve(value, root, archive) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolve(value, root, archive) for value in node]
    if not isinstance(node, str) or "${" not in node:
        return node
    found: Any = None
    if match := _REFERENCE.fullmatch(node):
        found = root
        for key in match[1].split("."):
            found = found.get(key) if isinstance(found, dict) else None
    if found is None or isinstance(found, dict | list) or (isinstance(found, str) and "${" in found):
        raise ModelCorrupt(f"{archive}: model_config.yaml: {node!r} is not a reference to a plain value")
    return found


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
