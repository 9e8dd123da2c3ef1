"""Which execution provider runs here: found out by running, not by asking.

ONNX Runtime lists CUDA wherever its GPU build is installed, on machines without a GPU
too, and falls back to the CPU in silence. So a small graph with the operations our
networks are made of is run on the GPU first, and its answer compared with the CPU's.
"""

import ctypes
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from recognition.exceptions import RecognitionError
from stashsense.cores import usable_cores

logger = logging.getLogger(__name__)

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"

# TF32 on recent cards keeps ten bits of mantissa: sums of 75 products in [-1, 1].
TRIAL_TOLERANCE = 0.05

_ORT_SEVERITY_WARNING = 2
_ORT_SEVERITY_FATAL = 4


@dataclass(frozen=True)
class ExecutionPlan:
    """Where networks run: the providers in order, the device's name and the reason.

    `device_memory_bytes` is all the memory of the GPU, 0 where networks run on the
    CPU or the driver does not tell.
    """

    providers: tuple[str, ...]
    device: str
    reason: str
    threads: int
    device_memory_bytes: int = 0

    @property
    def provider(self) -> str:
        """The provider that does the work, such as `CUDAExecutionProvider`."""
        return self.providers[0]


class GpuUnusable(RecognitionError):
    """The GPU was asked for and a trial run on it failed; nothing is loaded."""

    status = 503
    code = "gpu_unusable"


@dataclass(frozen=True)
class CudaDevice:
    """A GPU as its driver describes it; the memory is 0 where it does not tell."""

    name: str
    memory_bytes: int


def choose_execution_plan(
    device: str = "auto", *, threads: int = 0, is_gpu_enabled: bool = True
) -> ExecutionPlan:
    """Return where networks run: `auto` takes the GPU when a trial run on it works.

    `cuda` raises GpuUnusable when it does not; a GPU that is switched off is not
    tried, whatever the device. `threads` 0 means every usable core.
    """
    threads = threads or usable_cores()
    if device == "cpu":
        reason = "the CPU was asked for"
    elif not is_gpu_enabled:
        reason = "the GPU is switched off in the settings"
    else:
        try:
            gpu = _try_cuda()
        except GpuUnusable as error:
            if device == "cuda":
                raise
            reason = str(error)
        else:
            providers = (CUDA_PROVIDER, CPU_PROVIDER)
            plan = ExecutionPlan(
                providers, gpu.name, "a trial run worked", threads, gpu.memory_bytes
            )
            logger.info("Networks run on the GPU: %s", gpu.name)
            return plan
    logger.info("Networks run on the CPU with %d threads: %s", threads, reason)
    return ExecutionPlan((CPU_PROVIDER,), "CPU", reason, threads)


def _try_cuda() -> CudaDevice:
    """Run the trial graph on the first GPU; return the card."""
    import onnxruntime as ort

    if CUDA_PROVIDER not in ort.get_available_providers():
        raise GpuUnusable("this build of ONNX Runtime has no CUDA")
    gpu = _cuda_device()
    name = gpu.name
    graph = _trial_graph()
    probe = np.random.default_rng(0).uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32)
    try:
        with _quiet_onnxruntime():
            session = ort.InferenceSession(
                graph, providers=[CUDA_PROVIDER, CPU_PROVIDER]
            )
            if session.get_providers()[0] != CUDA_PROVIDER:
                raise GpuUnusable(
                    f"{name} is there, but ONNX Runtime could not load its CUDA part"
                    " (CUDA 12 and cuDNN 9 are needed)"
                )
            answer = session.run(None, {"input": probe})[0]
    except (RuntimeError, ort.capi.onnxruntime_pybind11_state.Fail) as error:
        raise GpuUnusable(f"the trial run on {name} failed: {error}") from error
    cpu = ort.InferenceSession(graph, providers=[CPU_PROVIDER])
    expected = cpu.run(None, {"input": probe})[0]
    if not np.allclose(answer, expected, atol=TRIAL_TOLERANCE):
        raise GpuUnusable(f"the trial run on {name} gave wrong numbers")
    return gpu


def _cuda_device() -> CudaDevice:
    """Return the first card from the driver, without opening a context.

    The driver that runs the networks is asked rather than NVML: it numbers cards as
    ONNX Runtime does, whatever CUDA_VISIBLE_DEVICES says.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise GpuUnusable("there is no NVIDIA driver") from None
    if driver.cuInit(0) != 0:
        raise GpuUnusable("the NVIDIA driver does not start")
    count = ctypes.c_int()
    if driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        raise GpuUnusable("the NVIDIA driver sees no GPU")
    name = ctypes.create_string_buffer(128)
    device = ctypes.c_int()
    memory = ctypes.c_size_t()
    if driver.cuDeviceGet(ctypes.byref(device), 0) != 0:
        raise GpuUnusable("the NVIDIA driver does not hand out its GPU")
    driver.cuDeviceGetName(name, len(name), device)
    # Fails into 0, which is "unknown".
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    return CudaDevice(name.value.decode(errors="replace"), memory.value)


def _trial_graph() -> bytes:
    """Return a convolution and a matrix product: cuDNN and cuBLAS both have to load."""
    rng = np.random.default_rng(1)
    kernel = rng.uniform(-1, 1, (4, 3, 5, 5)).astype(np.float32)
    matrix = rng.uniform(-0.1, 0.1, (12, 8)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["input", "kernel"], ["features"]),
        helper.make_node("MatMul", ["features", "matrix"], ["output"]),
    ]
    shape_in, shape_out = (1, 3, 16, 16), (1, 4, 12, 8)
    graph = helper.make_graph(
        nodes,
        "trial",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape_in)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape_out)],
        [
            numpy_helper.from_array(kernel, "kernel"),
            numpy_helper.from_array(matrix, "matrix"),
        ],
    )
    opsets = [helper.make_opsetid("", 17)]
    model: Any = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@contextmanager
def _quiet_onnxruntime() -> Iterator[None]:
    """Keep ONNX Runtime's own words about a missing library off the log."""
    import onnxruntime as ort

    ort.set_default_logger_severity(_ORT_SEVERITY_FATAL)
    try:
        yield
    finally:
        ort.set_default_logger_severity(_ORT_SEVERITY_WARNING)
