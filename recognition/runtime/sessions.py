"""Opening ONNX graphs. Opened after the fork, or they run with one thread."""

import functools
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.exceptions import ModelsNotInstalled
from recognition.runtime.providers import CUDA_PROVIDER, ExecutionPlan


@functools.cache
def ort_errors() -> tuple[type[Exception], ...]:
    """Return what opening a graph raises, and running one that is no such graph.

    ONNX Runtime is imported where a graph is opened: most processes open none.
    """
    import onnxruntime as ort

    state = ort.capi.onnxruntime_pybind11_state
    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoSuchFile,
        state.NotImplemented,
        state.RuntimeException,
    )


class Node(Protocol):
    """An input or output of a graph."""

    name: str
    shape: list[Any]


class Session(Protocol):
    """What we use of an open graph; tests hand in their own."""

    def get_inputs(self) -> list[Node]: ...
    def get_outputs(self) -> list[Node]: ...
    def run(
        self, output_names: list[str] | None, input_feed: dict[str, NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]: ...


def open_session(path: Path, plan: ExecutionPlan) -> Session:
    """Return the graph in the file, ready to run where the plan says.

    Raises ModelsNotInstalled when the file cannot be read as a graph.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = plan.threads
    # Spinning threads would take the cores that decode the next picture.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    # The arena never shrinks: after one picture of many faces it would hold 275 MB
    # for good. Without it a run takes 6 % longer on two cores.
    options.enable_cpu_mem_arena = False
    provider_options: list[dict[str, str]] = [{} for _ in plan.providers]
    if plan.provider == CUDA_PROVIDER:
        # The default doubles what it takes from the card at each step.
        provider_options[0] = {"arena_extend_strategy": "kSameAsRequested"}
    refusals: tuple[type[Exception], ...] = (RuntimeError, ValueError, *ort_errors())
    try:
        session: Session = ort.InferenceSession(
            str(path),
            sess_options=options,
            providers=list(plan.providers),
            provider_options=provider_options,
        )
    except refusals as error:
        raise ModelsNotInstalled(
            f"{path.name} cannot be opened as an ONNX graph: {error}"
        ) from error
    return session
