"""NVIDIA GPUs: what the driver says of them, and whether a machine has what models on a GPU need."""

from inference.gpu.cuda_libraries import load_cublas
from inference.gpu.needs import Found, Problem, problems
from inference.gpu.nvml import Card, Driver, NvmlFailed, read_driver, read_utilisation

__all__ = [
    "Card",
    "Driver",
    "Found",
    "NvmlFailed",
    "Problem",
    "load_cublas",
    "problems",
    "read_driver",
    "read_utilisation",
]
