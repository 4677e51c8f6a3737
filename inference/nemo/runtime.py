"""Importing NeMo quietly, and names of devices and number formats."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import warnings
from functools import cache
from typing import Any

from inference.models import ModelMissing, ModelUnfit

DTYPES = ("float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")


@cache
def import_nemo() -> None:
    """Import NeMo's speech models, 7 to 10 s the first time. Raises ModelMissing where they are not installed."""
    for name in ("torch", "nemo.collections.asr"):
        try:
            found = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:
            found = False
        if not found:
            raise ModelMissing(
                f"NeMo is not installed (no {name.partition('.')[0]} package); install it with: make nemo, "
                "or: pip install 'nemo_toolkit[asr]==3.0.0'"
            )
    # Models come from files only: nothing may use the network or report what runs here.
    for name, value in {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled"}.items():
        os.environ.setdefault(name, value)
    logging.getLogger("nv_one_logger").setLevel(logging.ERROR)
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning", "matplotlib", "numexpr"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from nemo.utils import logging as nemo_logging

        nemo_logging.setLevel(logging.ERROR)
        import nemo.collections.asr.models  # noqa: F401
    nemo_logging.setLevel(logging.ERROR)
    # float32 means float32: on a GPU, convolutions would round their inputs to TF32, 10 bits, by default.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    # On a busy machine OpenMP threads that wait for each other cost far more than they gain: 1 by default.
    with contextlib.suppress(RuntimeError):
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1") or "1"))


def torch_device(name: str) -> Any:
    """Return the ``torch.device`` of "cpu", "cuda" or "auto". Raises ModelUnfit."""
    import torch

    if name not in DEVICES:
        raise ModelUnfit(f"device: {name!r} is unknown; one of {', '.join(DEVICES)}")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ModelUnfit("device: cuda requires a GPU, but torch finds none; use auto or cpu, or install a CUDA torch")
    return torch.device(name)


def torch_dtype(name: str) -> Any:
    """Return the ``torch.dtype`` of a name in DTYPES. Raises ModelUnfit."""
    import torch

    if name not in DTYPES:
        raise ModelUnfit(f"dtype: {name!r} is unknown; one of {', '.join(DTYPES)}")
    return getattr(torch, name)
