"""Whether a machine has what models on a GPU need: pure functions of what driver and packages say."""

from __future__ import annotations

from dataclasses import dataclass

from inference.gpu.nvml import Driver

GIB = 1024**3
# Two passes of 128 sessions at 1.04 s with full caches, and the weights: 4 GB in 16 bits, twice that in 32 bits, as
# the sizes of their largest tensors add up.
LEAST_MEMORY_BYTES = 8 * GIB
# The driver with which each major version of CUDA came. A driver runs all minor versions of its CUDA, and older ones.
DRIVER_OF_CUDA = {12: "525", 13: "580"}
CUDA_PROVIDER = "CUDAExecutionProvider"
INSTALL = "make gpu"


@dataclass(frozen=True, slots=True)
class Torch:
    """The installed torch."""

    version: str
    cuda: tuple[int, int] | None
    """Version of CUDA that it is built for; None: for CPUs alone."""
    sees_gpu: bool
    cudnn: int | None
    """Version of cuDNN that it loads, as one number; None: none."""
    oldest_capability: tuple[int, int] | None
    """The least compute capability that it has code for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found on a machine."""

    driver: Driver | None
    """None: no NVIDIA driver is installed."""
    torch: Torch | None
    """None: it is not installed."""
    onnx_providers: tuple[str, ...]
    """Of ONNX Runtime."""
    whisper_gpus: int
    """GPUs that CTranslate2 sees."""
    whisper_library: bool
    """Whether the CUDA library that CTranslate2 needs is installed."""
    compiler: bool
    """Whether there are a C compiler and the headers of Python."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps models off the GPU."""

    text: str
    fix: str
    severe: bool = True
    """Whether a model that is asked to run on the GPU does not start; otherwise it runs, slower or on the CPU."""


def problems(found: Found) -> list[Problem]:
    """Return what is missing on a machine with an NVIDIA driver; nothing on one without: models run on its CPU."""
    driver = found.driver
    if driver is None:
        return []
    if not driver.cards:
        return [Problem(f"the NVIDIA driver {driver.version} finds no GPU", "check the card, or remove the driver")]
    return [
        *_torch_problems(driver, found.torch),
        *_compiler_problems(found),
        *_onnx_problems(found),
        *_whisper_problems(found),
        *_memory(driver),
    ]


def summary(found: Found) -> str:
    """Return the GPUs in one line."""
    driver = found.driver
    if driver is None:
        return "no NVIDIA driver: models run on the CPU"
    cards = ", ".join(f"{card.name} with {card.memory_bytes / GIB:.0f} GiB" for card in driver.cards) or "no GPU"
    return f"{cards}; driver {driver.version}, for CUDA up to {_dotted(driver.cuda)}"


def _torch_problems(driver: Driver, torch: Torch | None) -> list[Problem]:
    if torch is None:
        return [Problem("torch is not installed: models of NeMo cannot be used", INSTALL, severe=False)]
    if torch.cuda is None:
        return [
            Problem(
                f"torch {torch.version} is built for CPUs: NeMo's models run on the CPU",
                f"install the build for CUDA, then {INSTALL}: pip install --force-reinstall torch=="
                f"{torch.version.partition('+')[0]} from an index that has it",
            )
        ]
    if driver.cuda[0] < torch.cuda[0]:
        needed = DRIVER_OF_CUDA.get(torch.cuda[0])
        return [
            Problem(
                f"the NVIDIA driver {driver.version} is too old: it runs CUDA up to {_dotted(driver.cuda)}, and torch "
                f"{torch.version} needs CUDA {torch.cuda[0]}",
                f"install driver {needed} or newer" if needed else "install a newer driver",
            )
        ]
    found = []
    if torch.oldest_capability:
        oldest = torch.oldest_capability
        found += [
            Problem(
                f"{card.name} has compute capability {_dotted(card.capability)}; torch {torch.version} has code for "
                f"{_dotted(oldest)} and newer",
                "use a newer card, or MEETRA_INFERENCE_DEVICE=cpu",
            )
            for card in driver.cards
            if card.capability < oldest
        ]
    if torch.cudnn is None:
        found.append(Problem(f"torch {torch.version} finds no cuDNN", INSTALL))
    if not found and not torch.sees_gpu:
        found.append(
            Problem(
                f"torch {torch.version} sees no GPU, although the driver does",
                "check CUDA_VISIBLE_DEVICES, and that the user may open /dev/nvidia*",
            )
        )
    return found


def _compiler_problems(found: Found) -> list[Problem]:
    if found.compiler or found.torch is None or found.torch.cuda is None:
        return []
    text = "there is no C compiler, or no Python.h: layers of a Sortformer are not compiled, and fewer streams are held"
    return [Problem(text, "apt-get install gcc libc6-dev, and python3-dev for a Python of the system", severe=False)]


def _onnx_problems(found: Found) -> list[Problem]:
    if CUDA_PROVIDER in found.onnx_providers:
        return []
    return [Problem("ONNX Runtime is the build for CPUs: ONNX models run on the CPU", INSTALL, severe=False)]


def _whisper_problems(found: Found) -> list[Problem]:
    if not found.whisper_gpus or found.whisper_library:
        return []
    return [
        Problem("CTranslate2 sees the GPU, but cuBLAS 12, which it needs, is missing: Whisper fails there", INSTALL)
    ]


def _memory(driver: Driver) -> list[Problem]:
    return [
        Problem(
            f"{card.name} has {(card.memory_bytes - card.used_bytes) / GIB:.1f} of {card.memory_bytes / GIB:.1f} GiB "
            f"free; a Sortformer with 128 sessions in a pass takes up to {LEAST_MEMORY_BYTES / GIB:.0f}",
            "end what else uses it, choose MEETRA_INFERENCE_DTYPE=bfloat16, or MEETRA_INFERENCE_COMPILE=false",
            severe=False,
        )
        for card in driver.cards
        if card.memory_bytes - card.used_bytes < LEAST_MEMORY_BYTES
    ]


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
