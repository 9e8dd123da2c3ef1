"""The bare sessions and indices: what identification costs without a service.

A process of its own that opens the three networks and the two indices and nothing
else, prepares every input once, and then runs them when asked to: the detector on the
picture, both embedders on all faces and mirrors at once, both indices on the
embeddings; or the networks alone, for as many pictures and faces as a scene has.
Sessions are opened as the service opens them, with its allocator, or as ONNX Runtime
opens them when it is told nothing.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, cast

import numpy as np
import onnxruntime as ort
import voyager
from numpy.typing import NDArray

from benchmarks.data_folder import ROOT
from benchmarks.detector_graph import decode, detector_input, face_landmarks
from benchmarks.faces import EMBEDDERS
from benchmarks.networks import ARCFACE_FILE, DETECTOR_FILE, FACENET_FILE
from benchmarks.service import ALLOCATOR_SETTINGS
from recognition.numeric.alignment import align_face
from recognition.numeric.embedder_input import (
    arcface_input,
    facenet_input,
    mean_over_mirrors,
    with_mirrors,
)
from recognition.runtime.memory import release_unused_memory, set_up_allocator
from recognition.runtime.providers import ExecutionPlan, choose_execution_plan
from recognition.runtime.sessions import Session, open_session

NEIGHBOUR_COUNT = 100

_RUN = "run"
_RUN_NETWORKS = "run networks"
_RELEASE_MEMORY = "release memory"

Opening = Literal["as-served", "by-default"]


class BareProcess:
    """The caller's side: a process with everything loaded, which runs when told to."""

    def __init__(
        self,
        networks_dir: Path,
        release_dir: Path,
        picture: Path,
        *,
        opening: Opening = "as-served",
    ) -> None:
        is_as_served = opening == "as-served"
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [
                *[sys.executable, "-m", "benchmarks.bare"],
                *[str(networks_dir), str(release_dir), str(picture), opening],
            ],
            cwd=ROOT,
            env={**os.environ, **(ALLOCATOR_SETTINGS if is_as_served else {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.loading = self._read()
        self.seconds_to_load = time.perf_counter() - started
        self.preparation = self._read()

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self) -> dict[str, float]:
        """Run everything once; return the seconds of each part."""
        return self._ask(_RUN)

    def run_networks(self, *, pictures: int, faces: int) -> dict[str, float]:
        """Run the detector so often and the embedders for so many faces."""
        return self._ask(f"{_RUN_NETWORKS} {pictures} {faces}")

    def release_memory(self) -> None:
        """Have it give back what sessions and indices can do without."""
        self._ask(_RELEASE_MEMORY)

    def __enter__(self) -> "BareProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The end of its input ends it.
        self._process.communicate()

    def _ask(self, request: str) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{request}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{__name__} ended with {self._process.wait()}")
        content: dict[str, float] = json.loads(line)
        return content


class _Stopwatch:
    """Seconds of named parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started


class _Bare:
    """The open sessions and indices, and inputs that are ready to be run."""

    def __init__(
        self, networks_dir: Path, release_dir: Path, *, opening: Opening
    ) -> None:
        open_as = open_session if opening == "as-served" else _open_plainly
        plan = choose_execution_plan()
        self.loading = _Stopwatch()
        with self.loading.part("sessions"):
            self._detector, self._facenet, self._arcface = (
                open_as(networks_dir / name, plan)
                for name in (DETECTOR_FILE, FACENET_FILE, ARCFACE_FILE)
            )
        with self.loading.part("indices"):
            self._indices = [
                voyager.Index.load(str(release_dir / f"face_{embedder}.voy"))
                for embedder in EMBEDDERS
            ]

    def prepare(self, picture: bytes) -> int:
        """Make every input once; return the number of faces."""
        image = decode(picture)
        crops = [align_face(image, landmarks) for landmarks in face_landmarks()]
        rows = with_mirrors(np.stack(crops))
        self._blob = detector_input(image)
        self._facenet_rows, self._arcface_rows = (
            facenet_input(rows),
            arcface_input(rows),
        )
        self._probes = [
            mean_over_mirrors(_outputs(self._facenet, self._facenet_rows)),
            mean_over_mirrors(_outputs(self._arcface, self._arcface_rows)),
        ]
        return len(crops)

    def run(self) -> dict[str, float]:
        """Run everything once; return the seconds of each part."""
        stopwatch = _Stopwatch()
        with stopwatch.part("detector"):
            _outputs(self._detector, self._blob)
        with stopwatch.part("facenet"):
            _outputs(self._facenet, self._facenet_rows)
        with stopwatch.part("arcface"):
            _outputs(self._arcface, self._arcface_rows)
        with stopwatch.part("indices"):
            for index, probes in zip(self._indices, self._probes, strict=True):
                index.query(probes, k=NEIGHBOUR_COUNT)
        return stopwatch.seconds

    def run_networks(self, *, pictures: int, faces: int) -> dict[str, float]:
        """Run the networks as often as a scene takes; return the seconds of each."""
        stopwatch = _Stopwatch()
        with stopwatch.part("detector"):
            for _ in range(pictures):
                _outputs(self._detector, self._blob)
        with stopwatch.part("facenet"):
            _run_in_batches(self._facenet, self._facenet_rows, faces)
        with stopwatch.part("arcface"):
            _run_in_batches(self._arcface, self._arcface_rows, faces)
        return stopwatch.seconds


def _run_in_batches(session: Session, rows: NDArray[np.float32], faces: int) -> None:
    """Run the rows, two for each face, again and again until all faces had theirs."""
    at_once = len(rows) // 2
    for done in range(0, faces, at_once):
        _outputs(session, rows[: 2 * min(at_once, faces - done)])


def _open_plainly(path: Path, plan: ExecutionPlan) -> Session:
    session: Session = ort.InferenceSession(path, providers=list(plan.providers))
    return session


def _outputs(session: Session, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]


def _answer(content: dict[str, float]) -> None:
    print(json.dumps(content), flush=True)


def main(
    networks_dir: Path, release_dir: Path, picture: Path, *, opening: Opening
) -> None:
    """Load, prepare, and run once for each line that comes in."""
    if opening == "as-served":
        set_up_allocator()
    bare = _Bare(networks_dir, release_dir, opening=opening)
    _answer(bare.loading.seconds)
    _answer({"faces": bare.prepare(picture.read_bytes())})
    for line in sys.stdin:
        request = line.strip()
        if request == _RUN:
            _answer(bare.run())
        elif request == _RELEASE_MEMORY:
            release_unused_memory()
            _answer({})
        else:
            pictures, faces = map(int, request.removeprefix(_RUN_NETWORKS).split())
            _answer(bare.run_networks(pictures=pictures, faces=faces))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), opening=cast("Opening", sys.argv[4]))
