"""The model files: which there are, where they lie, and whether they are intact.

A file counts as installed when its digest is the one expected, not by its size. Where
no digest is published, that of the first verified download is kept in a row. Reading
100 MB takes a while, so the digest of a file that has not changed since, by size, time
and inode, is taken from its row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone

from recognition.exceptions import ModelNotFound
from recognition.models import ModelFile
from stashsense.files import sha256_of

_MB = 1_000_000


class Group(StrEnum):
    """What a file is needed for."""

    FACE_RECOGNITION = "face_recognition"
    TATTOO_DETECTION = "tattoo_detection"
    BODY_PROPORTIONS = "body_proportions"


class Status(StrEnum):
    """How a file is found."""

    NOT_INSTALLED = "not_installed"
    INSTALLED = "installed"
    CORRUPTED = "corrupted"


@dataclass(frozen=True)
class PublishedFile:
    """A model file as its maker publishes it.

    `file` is its path below the models folder, `source` the key of its maker in the
    setting MODEL_SOURCES and `path` where it lies there. `size_bytes` is 0 and `sha256`
    "" where none is published; `typical_bytes` is what a download takes about.
    With `members`, it is taken out of a zip: the one member that has such a name.
    """

    name: str
    file: str
    group: Group
    description: str
    source: str
    path: str
    typical_bytes: int
    max_bytes: int
    size_bytes: int = 0
    sha256: str = ""
    members: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"{settings.MODEL_SOURCES[self.source]}/{quote(self.path)}"

    @property
    def installed_path(self) -> Path:
        return Path(settings.MODELS_DIR) / self.file


def _stash_sense(
    name: str, *, size_bytes: int, sha256: str, group: Group, description: str
) -> PublishedFile:
    """Return a file of the predecessor's release: size and digest are published."""
    file = f"{name}.onnx"
    return PublishedFile(
        name=name,
        file=file,
        group=group,
        description=description,
        source="stash_sense",
        path=file,
        typical_bytes=size_bytes,
        max_bytes=size_bytes,
        size_bytes=size_bytes,
        sha256=sha256,
    )


_ALL = (
    _stash_sense(
        "facenet512",
        size_bytes=93_985_006,
        sha256="4b6fcd19d0355d532d25007989d62cdfb5f86d761e52c6287aac9d821011a9e6",
        group=Group.FACE_RECOGNITION,
        description="FaceNet512 face embedder",
    ),
    _stash_sense(
        "arcface",
        size_bytes=136_564_309,
        sha256="2eff37a187485caef7ffb3bbb3a542132d195bbdc02e071f20e80614477b735c",
        group=Group.FACE_RECOGNITION,
        description="ArcFace face embedder",
    ),
    PublishedFile(
        name="buffalo_sc",
        file="buffalo_sc/det_500m.onnx",
        group=Group.FACE_RECOGNITION,
        description="SCRFD face detector, out of InsightFace's pack buffalo_sc",
        source="insightface",
        path="buffalo_sc.zip",
        # The pack has 15 MB, most of it an embedder that is not used.
        typical_bytes=3 * _MB,
        max_bytes=64 * _MB,
        members=("det_500m.onnx", "buffalo_sc/det_500m.onnx"),
    ),
    _stash_sense(
        "tattoo_yolov5s",
        size_bytes=83_882_182,
        sha256="91ad9d010d8f0d09847db2bc3769b854ec67366a5755b29fd152dc975361692b",
        group=Group.TATTOO_DETECTION,
        description="YOLOv5s tattoo detector",
    ),
    _stash_sense(
        "tattoo_efficientnet_b0",
        size_bytes=16_019_984,
        sha256="55c58c908dd674a77e0d90d00aeae738ad649d19c77c30214cbfe121ea75c099",
        group=Group.TATTOO_DETECTION,
        description="EfficientNet-B0 tattoo embedder",
    ),
    PublishedFile(
        name="pose_landmarker",
        file="pose_landmarker_lite.task",
        group=Group.BODY_PROPORTIONS,
        description="MediaPipe pose landmarker, lite",
        source="mediapipe",
        path=(
            "pose_landmarker/pose_landmarker_lite/float16/1/pose_landmarker_lite.task"
        ),
        typical_bytes=6 * _MB,
        max_bytes=64 * _MB,
    ),
)
MODEL_FILES: Mapping[str, PublishedFile] = {each.name: each for each in _ALL}


@dataclass(frozen=True)
class FileState:
    """How a model file is found; digests are "" where there is none.

    `explanation` says why it counts as corrupted, or what cannot be said of it.
    """

    published: PublishedFile
    status: Status
    size_bytes: int = 0
    sha256: str = ""
    expected_sha256: str = ""
    explanation: str = ""

    @property
    def is_installed(self) -> bool:
        return self.status == Status.INSTALLED


def get_published(name: str) -> PublishedFile:
    """Return the file of that name; or raise ModelNotFound."""
    try:
        return MODEL_FILES[name]
    except KeyError as exc:
        raise ModelNotFound(
            f"There is no model file {name[:80]}; there are {', '.join(MODEL_FILES)}."
        ) from exc


def states() -> list[FileState]:
    """Return how each file is found, in the order of the list."""
    rows = {row.name: row for row in ModelFile.objects.all()}
    return [
        _state_of(published, rows.get(published.name))
        for published in MODEL_FILES.values()
    ]


def state_of(published: PublishedFile) -> FileState:
    """Return how the file is found; read only if it has changed since the last look."""
    return _state_of(published, ModelFile.objects.filter(name=published.name).first())


def verify(published: PublishedFile) -> FileState:
    """Return how the file is found, after reading all of it."""
    ModelFile.objects.filter(name=published.name).update(seen_as="")
    return state_of(published)


def row_of(published: PublishedFile) -> ModelFile:
    """Return the file's row, made if there is none."""
    return ModelFile.objects.get_or_create(name=published.name)[0]


def expected_sha256(published: PublishedFile) -> str:
    """Return the digest the file must have, or "" if none is known yet."""
    if published.sha256:
        return published.sha256
    row = ModelFile.objects.filter(name=published.name).first()
    return row.recorded_sha256 if row else ""


def record_download(published: PublishedFile, sha256: str) -> None:
    """Keep the digest of a file that was verified and has just got its place."""
    row = row_of(published)
    _keep_seen(row, sha256, _identity(published.installed_path))
    if not published.sha256 and not row.recorded_sha256:
        row.recorded_sha256, row.recorded_at = sha256, timezone.now()
        row.save(update_fields=["recorded_sha256", "recorded_at"])


def forget_recorded_digest(published: PublishedFile) -> None:
    """Accept another file at the next download, where no digest is published."""
    ModelFile.objects.filter(name=published.name).update(
        recorded_sha256="", recorded_at=None
    )


def with_recorded_digests(files: Mapping[str, str]) -> dict[str, str]:
    """Return the published networks' files with the digests that rows know, too."""
    recorded = {
        published.file: expected_sha256(published)
        for published in MODEL_FILES.values()
        if files.get(published.file) == ""
    }
    return {**files, **recorded}


def _state_of(published: PublishedFile, row: ModelFile | None) -> FileState:
    expected = published.sha256 or (row.recorded_sha256 if row else "")
    path, size_bytes, actual = published.installed_path, 0, ""
    try:
        size_bytes = path.stat().st_size
        if published.size_bytes in (0, size_bytes):
            actual = _digest_of(path, row or row_of(published))
            explanation = f"sha256 {actual} instead of {expected}"
        else:
            explanation = f"{size_bytes:,} bytes instead of {published.size_bytes:,}"
    except (FileNotFoundError, NotADirectoryError):
        return FileState(published, Status.NOT_INSTALLED, expected_sha256=expected)
    except OSError as exc:
        explanation = f"it cannot be read: {exc.strerror}"
    is_intact = actual != "" and expected in ("", actual)
    if is_intact:
        explanation = "" if expected else "no digest is known to compare with"
    return FileState(
        published=published,
        status=Status.INSTALLED if is_intact else Status.CORRUPTED,
        size_bytes=size_bytes,
        sha256=actual,
        expected_sha256=expected,
        explanation=explanation,
    )


def _digest_of(path: Path, row: ModelFile) -> str:
    before = _identity(path)
    if row.seen_as == before:
        return row.seen_sha256
    actual = sha256_of(path)
    # One that changed meanwhile is looked at again the next time.
    if _identity(path) == before:
        _keep_seen(row, actual, before)
    return actual


def _keep_seen(row: ModelFile, sha256: str, identity: str) -> None:
    row.seen_sha256, row.seen_as, row.seen_at = sha256, identity, timezone.now()
    row.save(update_fields=["seen_sha256", "seen_as", "seen_at"])


def _identity(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
