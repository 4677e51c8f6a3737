"""Loading a ``.nemo`` checkpoint without running code from it.

NeMo's own ``restore_from`` extracts whatever the archive holds and builds whatever classes it names. Here the archive
is unpacked within bounds (``archive``), every class is checked before one is built (``configuration``), and weights
must be tensors.
"""

from __future__ import annotations

import pickle
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from inference.models import ModelCorrupt, ModelMissing, ModelUnfit
from inference.nemo.archive import CONFIG, WEIGHTS, unpack
from inference.nemo.configuration import MODELS, check_classes, model_class, read_configuration
from inference.nemo.runtime import import_nemo, torch_device, torch_dtype

_RESTORE_LOCK = threading.Lock()


def load_checkpoint(path: Path, classes: Collection[str], *, device: str, dtype: str = "float32") -> Any:
    """Load a model in evaluation mode.

    Args:
        path: of the ``.nemo`` file.
        classes: names of accepted classes, of ``configuration.MODELS``.
        device: "cpu", "cuda", or "auto" for cuda where there is one.
        dtype: "float32", "bfloat16" or "float16": type of the weights, except the front end's, which stay float32.

    Raises:
        ModelMissing: NeMo or the file is missing.
        ModelCorrupt: the file is damaged or not safe to load.
        ModelUnfit: it holds another class, or weights that do not fit; or device or dtype is unknown.
    """
    if not path.is_file():
        raise ModelMissing(f"no model at {path}; download it with: meetra models pull {path.stem}")
    import_nemo()
    target_device, target_dtype = torch_device(device), torch_dtype(dtype)
    with tempfile.TemporaryDirectory(prefix="meetra-nemo-") as temporary:
        folder = Path(temporary)
        unpack(path, folder)
        config = read_configuration((folder / CONFIG).read_bytes(), path.name)
        name = model_class(config, path.name, classes)
        check_classes(config, path.name)
        weights = _read_weights(folder / WEIGHTS, path.name)
        model = _build(name, config, folder, path.name)
        _load_weights(model, weights, path.name)
    front_end = getattr(model, "preprocessor", None)
    model.to(device=target_device, dtype=target_dtype)
    if front_end is not None:
        front_end.float()
    return model.eval().requires_grad_(False)


def _read_weights(file: Path, archive: str) -> dict[str, Any]:
    """Map tensors by name, on the CPU, read lazily. Raises ModelCorrupt."""
    import torch

    try:
        with zipfile.ZipFile(file) as content:
            packed = [entry.filename for entry in content.infolist() if entry.compress_type != zipfile.ZIP_STORED]
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelCorrupt(f"{archive}: {WEIGHTS} is not a file of torch.save, or is truncated: {error}") from error
    if packed:
        # Compressed data may expand a thousandfold; torch.save never compresses.
        raise ModelCorrupt(f"{archive}: {WEIGHTS} holds compressed data, which torch.save never writes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weights = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, KeyError, TypeError, EOFError) as error:
        raise ModelCorrupt(
            f"{archive}: {WEIGHTS} holds objects other than tensors and is refused: {_reason(error)}"
        ) from error
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in weights.items()
    ):
        raise ModelCorrupt(f"{archive}: {WEIGHTS} is not a dictionary of tensors")
    return weights


def _build(name: str, config: dict[str, Any], folder: Path, archive: str) -> Any:
    """Build the model with arbitrary weights. Raises ModelCorrupt."""
    import importlib

    from omegaconf import OmegaConf

    cls = getattr(importlib.import_module(MODELS[name]), name)
    # NeMo keeps "a model is being restored, its files are there" as global state.
    with _RESTORE_LOCK:
        cls._set_model_restore_state(is_being_restored=True, folder=str(folder))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return cls(cfg=OmegaConf.create(config))
        except Exception as error:
            raise ModelCorrupt(f"{archive}: NeMo cannot build a {name} from its {CONFIG}: {_reason(error)}") from error
        finally:
            cls._set_model_restore_state(is_being_restored=False, folder=None)


def _load_weights(model: Any, weights: dict[str, Any], archive: str) -> None:
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise ModelUnfit(f"{archive}: {WEIGHTS} does not match its {CONFIG}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Format an error as one line of limited length."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines)[:400] or type(error).__name__
