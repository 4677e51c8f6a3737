"""Which events of a profile are counted: kernels of a GPU, or operations of a CPU, and never both."""

from __future__ import annotations

from types import SimpleNamespace

from benchmarks.gpu_profile import Operation, _operation


def event(key: str, device: str, cpu_us: float, gpu_us: float) -> SimpleNamespace:
    return SimpleNamespace(
        key=key,
        count=3,
        device_type=f"DeviceType.{device}",
        self_cpu_time_total=cpu_us,
        self_device_time_total=gpu_us,
    )


def test_on_a_gpu_only_its_kernels_count_and_on_a_cpu_only_operations() -> None:
    launch, kernel = event("aten::bmm", "CPU", 2000, 9000), event("gemm_kernel", "CUDA", 0, 9000)
    assert _operation(launch, on_gpu=True) is None, "its time is that of the kernel, which is there too"
    assert _operation(kernel, on_gpu=True) == Operation("gemm_kernel", 3, 9.0)
    assert _operation(launch, on_gpu=False) == Operation("aten::bmm", 3, 2.0)
    assert _operation(kernel, on_gpu=False) is None
    assert _operation(event("aten::view", "CPU", 0, 0), on_gpu=False) is None
