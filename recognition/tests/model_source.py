"""Small model files at a source on the loopback, in place of the published ones."""

import hashlib
import io
import random
import zipfile
from contextlib import contextmanager
from pathlib import Path

from demo.release_simulator import ReleaseSimulator
from recognition import model_files
from recognition.model_downloads import FOLDER_NAME, Asker, execute_download
from recognition.model_files import Group, PublishedFile
from recognition.models import ModelDownload
from stashsense.downloads.fetcher import Patience

ASKER = Asker(ModelDownload.Asker.API)
# As in earnest, but nobody waits for it.
HASTY = Patience(
    connect_seconds=5,
    stall_seconds=5,
    attempts=3,
    first_delay_seconds=0.01,
    longest_delay_seconds=0.02,
    restarts=2,
)
PACK_PATH = "buffalo_sc.zip"
MEMBER = "det_500m.onnx"


def onnx_bytes(seed, size=1_500_000):
    """Return what begins like a network and is none."""
    return b"\x08" + random.Random(seed).randbytes(size - 1)


FACENET, ARCFACE, DETECTOR = onnx_bytes(1), onnx_bytes(2, 800_000), onnx_bytes(3)


def zip_of(members, compression=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


PACK = {MEMBER: DETECTOR, "w600k_mbf.onnx": onnx_bytes(4, 3_000_000)}
TASK = zip_of({"pose_detector.tflite": b"detector" * 900, "landmarks.tflite": b"two"})


def digest(content):
    return hashlib.sha256(content).hexdigest()


def embedder(name, content):
    return PublishedFile(
        name=name,
        file=f"{name}.onnx",
        group=Group.FACE_RECOGNITION,
        description=f"{name} of a test",
        source="stash_sense",
        path=f"{name}.onnx",
        typical_bytes=len(content),
        max_bytes=len(content),
        size_bytes=len(content),
        sha256=digest(content),
    )


BUFFALO = PublishedFile(
    name="buffalo_sc",
    file="buffalo_sc/det_500m.onnx",
    group=Group.FACE_RECOGNITION,
    description="detector of a test",
    source="insightface",
    path=PACK_PATH,
    typical_bytes=len(DETECTOR),
    max_bytes=8_000_000,
    members=(MEMBER, f"buffalo_sc/{MEMBER}"),
)
POSE = PublishedFile(
    name="pose_landmarker",
    file="pose_landmarker_lite.task",
    group=Group.BODY_PROPORTIONS,
    description="pose of a test",
    source="mediapipe",
    path="pose/1/pose_landmarker_lite.task",
    typical_bytes=len(TASK),
    max_bytes=1_000_000,
)
FILES = {
    each.name: each
    for each in (embedder("facenet512", FACENET), embedder("arcface", ARCFACE))
} | {each.name: each for each in (BUFFALO, POSE)}


@contextmanager
def source_of_models(settings, monkeypatch, data_dir):
    """Yield a simulator with all of FILES, which the service takes for the makers."""
    settings.DATA_DIR = data_dir
    settings.MODELS_DIR = data_dir / "models"
    monkeypatch.setattr(model_files, "MODEL_FILES", FILES)
    with ReleaseSimulator() as simulator:
        settings.MODEL_SOURCES = dict.fromkeys(
            ("stash_sense", "insightface", "mediapipe"), simulator.files_url
        )
        simulator.serve_file("facenet512.onnx", FACENET)
        simulator.serve_file("arcface.onnx", ARCFACE)
        simulator.serve_file(PACK_PATH, zip_of(PACK))
        simulator.serve_file(POSE.path, TASK)
        yield simulator


def work(download, **options):
    """Work at a download as the background does; return its row as it ended."""
    execute_download(download.pk, **({"patience": HASTY} | options))
    download.refresh_from_db()
    return download


def installed(models_dir: Path):
    """Return the content of each file in its place, by its path."""
    return {
        str(path.relative_to(models_dir)): path.read_bytes()
        for path in models_dir.rglob("*")
        if path.is_file() and FOLDER_NAME not in path.parts
    }


def left_over(models_dir: Path):
    """Return the names of what lies where downloads are at work."""
    return sorted(
        path.name for path in (models_dir / FOLDER_NAME).rglob("*") if path.is_file()
    )
