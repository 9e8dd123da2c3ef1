"""Where networks run is found out by running."""

import os
import subprocess
import sys

import onnxruntime as ort
import pytest

from recognition.runtime import providers
from recognition.runtime.providers import CPU_PROVIDER, GpuUnusable
from stashsense.cores import count_usable_cores


@pytest.fixture
def _no_gpu(monkeypatch):
    """A machine whose driver library is missing, whatever this one has."""

    def missing(name):
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", missing)


@pytest.mark.usefixtures("_no_gpu")
def test_a_gpu_build_without_a_gpu_runs_on_the_cpu_and_says_why():
    assert providers.CUDA_PROVIDER in ort.get_available_providers()

    plan = providers.choose_execution_plan("auto")

    assert plan.providers == (CPU_PROVIDER,)
    assert plan.reason == "there is no NVIDIA driver"
    assert plan.threads == count_usable_cores()


@pytest.mark.usefixtures("_no_gpu")
def test_a_gpu_that_was_demanded_and_does_not_run_is_an_error():
    with pytest.raises(GpuUnusable, match="no NVIDIA driver"):
        providers.choose_execution_plan("cuda")


def test_the_cpu_can_be_asked_for():
    plan = providers.choose_execution_plan("cpu", threads=3)

    assert (plan.provider, plan.threads) == (CPU_PROVIDER, 3)


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_gpu_that_is_switched_off_is_not_even_tried(device, monkeypatch):
    monkeypatch.setattr(providers, "_try_cuda", pytest.fail)

    plan = providers.choose_execution_plan(device, is_gpu_enabled=False)

    assert plan.provider == CPU_PROVIDER
    assert "switched off" in plan.reason


def test_the_driver_tells_a_card_and_its_memory_without_a_context(monkeypatch):
    class Driver:
        """libcuda with a card of 4 GB, as ctypes would call it."""

        def cuInit(self, flags):
            return 0

        def cuDeviceGetCount(self, count):
            count._obj.value = 1
            return 0

        def cuDeviceGet(self, device, number):
            device._obj.value = 0
            return 0

        def cuDeviceGetName(self, name, length, device):
            name.value = b"Abacus 4"
            return 0

        def cuDeviceTotalMem_v2(self, memory, device):
            memory._obj.value = 4_101_505_024
            return 0

    monkeypatch.setattr("ctypes.CDLL", lambda name: Driver())

    assert providers._cuda_device() == providers.CudaDevice("Abacus 4", 4_101_505_024)


def test_a_driver_without_the_libraries_of_cuda_is_noticed(monkeypatch):
    if providers.choose_execution_plan("auto").provider != CPU_PROVIDER:
        pytest.skip("this machine has a GPU that works")
    card = providers.CudaDevice("Some Card", memory_bytes=0)
    monkeypatch.setattr(providers, "_cuda_device", lambda: card)

    plan = providers.choose_execution_plan("auto")

    assert plan.providers == (CPU_PROVIDER,)
    assert "Some Card" in plan.reason


def test_telemetry_is_off_before_onnxruntime_is_imported():
    script = (
        "import sys, os, django\n"
        "django.setup()\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
        "from recognition.runtime.sessions import ort_errors\n"
        "assert ort_errors()\n"
        "assert 'onnxruntime' in sys.modules\n"
    )
    # CI switches telemetry off by itself.
    hidden = {"CI", "ORT_DISABLE_TELEMETRY"}
    environment = {k: v for k, v in os.environ.items() if k not in hidden}

    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        env={**environment, "DJANGO_SETTINGS_MODULE": "stashsense.settings"},
        timeout=60,
    )
