"""A scene identified one step after the other; see scene.py.

A process of its own opens the networks and the release of a data folder. It has the
frames taken by processes, eight at a time, and collects them all; then it detects in
one after the other, then embeds all faces, then matches them. Networks, batches and
matching are the service's own; loading is not measured, and nothing is kept or asked.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.data_folder import ROOT, VERSION, release_folder
from benchmarks.frames import frames_by_processes
from benchmarks.memory import forget_peak, memory_of
from benchmarks.networks import NETWORK_FILES, NETWORK_SET
from benchmarks.service import ALLOCATOR_SETTINGS
from recognition.numeric.alignment import ALIGNED_SIDE_PX
from recognition.numeric.people import SeenFace
from recognition.numeric.quality import face_quality
from recognition.runtime.collector import CroppedFace, FaceFilter, look_at
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.memory import set_up_allocator
from recognition.runtime.networks import Networks, NetworkSet, open_networks
from recognition.runtime.people import MatchingOptions, match_scene_faces
from recognition.runtime.providers import choose_execution_plan
from recognition.runtime.recognizer import Timing

_DETECTION_SIZE_PX = 640
# What a processor gets.
_EMBEDDING_BATCH_SIZE = 4
_FACE_FILTER = FaceFilter(min_confidence=0.5, min_size_px=40)
_TOP_K, _MAX_DISTANCE = 5, 2.0

Outcome = dict[str, float]


def identify_sequentially(data_dir: Path, url: str, points: list[float]) -> Outcome:
    """Return the seconds of each step, and how many `faces` and `peak_bytes`."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.scene_sequential", str(data_dir), url],
        cwd=ROOT,
        env={**os.environ, **ALLOCATOR_SETTINGS},
        input=json.dumps(points),
        capture_output=True,
        text=True,
        check=True,
    )
    outcome: Outcome = json.loads(finished.stdout)
    return outcome


def main(data_dir: Path, url: str) -> None:
    """Load, read the points, identify, print what it took."""
    set_up_allocator()
    networks = _networks(data_dir)
    database = FaceDatabase.load(release_folder(data_dir), version=VERSION)
    _warm_up(networks)
    before = memory_of(os.getpid()).resident_bytes
    forget_peak(os.getpid())
    timing = Timing()
    faces = _identify(networks, database, url, json.load(sys.stdin), timing)
    peak = memory_of(os.getpid()).peak_bytes - before
    print(json.dumps({**timing.seconds, "faces": faces, "peak_bytes": peak}))


def _identify(
    networks: Networks,
    database: FaceDatabase,
    url: str,
    points: list[float],
    timing: Timing,
) -> int:
    """Do one step after the other; return the number of faces."""
    with timing.step("extract"):
        frames = frames_by_processes(url, points)
    cropped: list[CroppedFace] = []
    for number, (image, seconds) in enumerate(zip(frames, points, strict=True)):
        look = look_at(
            networks,
            image,
            face_filter=_FACE_FILTER,
            frame=number,
            seconds=seconds,
            timing=timing,
        )
        cropped += look.faces
    with timing.step("embed"):
        crops = [face.crop for face in cropped]
        facenet = networks.facenet.embed(crops)
        arcface = networks.arcface.embed(crops)
    with timing.step("match"):
        faces = [
            SeenFace(
                frame=face.frame,
                seconds=face.seconds,
                box=face.box,
                confidence=face.confidence,
                quality=face_quality(
                    face.box, face.confidence, view=face.view, agreement=1.0
                ),
                facenet=embeddings[0],
                arcface=embeddings[1],
            )
            for face, *embeddings in zip(cropped, facenet, arcface, strict=True)
        ]
        options = MatchingOptions(top_k=_TOP_K, max_distance=_MAX_DISTANCE)
        match_scene_faces(database, faces, options)
    return len(faces)


def _networks(data_dir: Path) -> Networks:
    files = dict.fromkeys(NETWORK_FILES, "")
    return open_networks(
        NetworkSet(NETWORK_SET, files, data_dir / "models"),
        choose_execution_plan(),
        detection_size_px=_DETECTION_SIZE_PX,
        embedding_batch_size=_EMBEDDING_BATCH_SIZE,
    )


def _warm_up(networks: Networks) -> None:
    blank = np.zeros((_DETECTION_SIZE_PX, _DETECTION_SIZE_PX, 3), dtype=np.uint8)
    networks.detector.detect_faces(blank, min_confidence=0.5)
    crops = [blank[:ALIGNED_SIDE_PX, :ALIGNED_SIDE_PX]] * _EMBEDDING_BATCH_SIZE
    networks.facenet.embed(crops)
    networks.arcface.embed(crops)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
