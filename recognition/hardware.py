"""What this machine is: where networks run here, and the tier that follows from it."""

import functools
import threading
from dataclasses import dataclass

from django.conf import settings

from recognition.preferences import CPU, GPU_HIGH, GPU_LOW
from recognition.runtime.providers import (
    CPU_PROVIDER,
    ExecutionPlan,
    GpuUnusable,
    choose_execution_plan,
)
from stashsense.cores import usable_cores
from stashsense.files import free_bytes
from stashsense.memory import available_memory_bytes, total_memory_bytes

# Below this, batches of the larger tier leave a card no room. A card sold with 4 GB has
# as many of these and a little less of 1,048,576 each, for the driver keeps some.
GPU_HIGH_MB = 4096
MB = 1_000_000

_trial = threading.Lock()


@dataclass(frozen=True)
class Hardware:
    """The machine as this process sees it; its container's limits count."""

    gpu_name: str | None
    gpu_vram_mb: int | None
    cpu_cores: int
    memory_total_mb: int
    memory_available_mb: int
    storage_free_mb: int
    tier: str

    @property
    def summary(self) -> str:
        """The machine in a line, for people."""
        gpu = "no usable GPU" if self.gpu_name is None else self.gpu_name
        if self.gpu_vram_mb is not None:
            gpu += f" with {self.gpu_vram_mb:,} MB"
        return (
            f"{gpu}, {self.cpu_cores} CPU cores, {self.memory_total_mb:,} MB of memory"
        )


def execution_plan(*, is_gpu_enabled: bool = True) -> ExecutionPlan:
    """Return where this process runs its networks, found out once.

    Raises GpuUnusable where the operator demands a GPU that does not work.
    """
    # On a machine without a usable GPU the switch is off by default, and the reason
    # that people see is what is wrong with the GPU.
    is_switched_off = not is_gpu_enabled and hardware_tier() != CPU
    return _plan(is_gpu_enabled=not is_switched_off)


def hardware_tier() -> str:
    """Return `gpu-high`, `gpu-low` or `cpu`, by what the operator lets us use."""
    try:
        plan = _plan(is_gpu_enabled=True)
    except GpuUnusable:
        return CPU
    if plan.provider == CPU_PROVIDER:
        return CPU
    return GPU_HIGH if plan.device_memory_bytes >= GPU_HIGH_MB * MB else GPU_LOW


def describe_hardware() -> Hardware:
    """Return what this machine is and has left at this moment."""
    tier = hardware_tier()
    plan = None if tier == CPU else _plan(is_gpu_enabled=True)
    memory_bytes = plan.device_memory_bytes if plan else 0
    return Hardware(
        gpu_name=plan.device if plan else None,
        gpu_vram_mb=memory_bytes // MB if memory_bytes else None,
        cpu_cores=usable_cores(),
        memory_total_mb=total_memory_bytes() // MB,
        memory_available_mb=available_memory_bytes() // MB,
        storage_free_mb=free_bytes(settings.DATA_DIR) // MB,
        tier=tier,
    )


def _plan(*, is_gpu_enabled: bool) -> ExecutionPlan:
    # Two at once would both open a context on the card.
    with _trial:
        return _tried_plan(is_gpu_enabled)


@functools.cache
def _tried_plan(is_gpu_enabled: bool) -> ExecutionPlan:
    return choose_execution_plan(
        settings.DEVICE,
        threads=settings.INFERENCE_THREADS,
        is_gpu_enabled=is_gpu_enabled,
    )
