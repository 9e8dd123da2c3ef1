"""What the machine is, and the tier and defaults that follow from it."""

import psutil
import pytest
from rest_framework.test import APIClient

from recognition import hardware
from recognition.runtime.providers import CPU_PROVIDER, CUDA_PROVIDER, GpuUnusable
from stashsense.api.authentication import api_key
from stashsense.cores import count_usable_cores
from stashsense.memory import total_memory_bytes


@pytest.mark.parametrize(
    ("memory_mb", "tier"),
    [
        (None, "cpu"),
        (24_000, "gpu-high"),
        (4096, "gpu-high"),
        (4095, "gpu-low"),
        (0, "gpu-low"),
    ],
)
def test_the_tier_follows_from_a_gpu_that_works_and_its_memory(card, memory_mb, tier):
    card(memory_mb)

    assert hardware.hardware_tier() == tier


def test_a_gpu_that_the_operator_does_not_let_us_use_makes_no_tier(card, settings):
    card(24_000)
    settings.DEVICE = "cpu"

    assert hardware.hardware_tier() == "cpu"


def test_a_gpu_that_is_demanded_and_missing_is_still_an_error(card, settings):
    card(None)
    settings.DEVICE = "cuda"

    assert hardware.hardware_tier() == "cpu"
    with pytest.raises(GpuUnusable, match="no NVIDIA driver"):
        hardware.execution_plan(is_gpu_enabled=False)


def test_a_gpu_that_is_switched_off_is_there_but_not_used(card):
    card(24_000)

    assert hardware.execution_plan().provider == CUDA_PROVIDER
    plan = hardware.execution_plan(is_gpu_enabled=False)

    assert plan.provider == CPU_PROVIDER
    assert plan.reason == "the GPU is switched off in the settings"
    assert hardware.hardware_tier() == "gpu-high"


def test_without_a_gpu_the_reason_is_not_the_switch(card):
    card(None)

    assert hardware.execution_plan(is_gpu_enabled=False).reason == (
        "there is no NVIDIA driver"
    )


@pytest.fixture
def client():
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=api_key())
    return client


def test_the_machine_is_told_within_its_limits(client, card, settings):
    card(8192)

    answer = client.get("/system/info").json()

    assert answer["version"]
    assert 0 <= answer["uptime_seconds"] < 86_400
    told = answer["hardware"]
    assert (told["gpu_available"], told["gpu_name"]) == (True, "Abacus")
    assert (told["gpu_vram_mb"], told["tier"]) == (8192, "gpu-high")
    assert told["cpu_cores"] == count_usable_cores()
    assert told["memory_total_mb"] == total_memory_bytes() // 10**6
    assert 0 < told["memory_available_mb"] <= told["memory_total_mb"]
    free_mb = psutil.disk_usage(str(settings.DATA_DIR)).free / 10**6
    assert told["storage_free_mb"] == pytest.approx(free_mb, abs=500)
    for part in ("Abacus", "8,192 MB", f"{told['cpu_cores']} CPU cores"):
        assert part in told["summary"]


def test_a_machine_without_a_gpu_says_so(client, card):
    card(None)

    told = client.get("/system/info").json()["hardware"]

    assert told["gpu_available"] is False
    assert told["gpu_name"] is None
    assert told["gpu_vram_mb"] is None
    assert told["tier"] == "cpu"
    assert told["summary"].startswith("no usable GPU, ")
