"""Which networks a release needs, whether they are installed, and opening them.

A release's vectors can only be compared with those of the very networks that made
them. A network set is a name and files with digests; the manifest of a release names
one, and a manifest that names none means the published set.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from recognition.exceptions import ModelsNotInstalled
from recognition.numeric.embedder_input import arcface_input, facenet_input
from recognition.runtime.detector import FaceDetector
from recognition.runtime.embedders import Embedder
from recognition.runtime.providers import ExecutionPlan
from recognition.runtime.sessions import open_session
from stashsense.files import sha256_of

logger = logging.getLogger(__name__)

PUBLISHED = "published"
FACENET_FILE = "facenet512.onnx"
ARCFACE_FILE = "arcface.onnx"
_DOWNLOAD_HINT = (
    "download them (manage.py download_models, or Model files in the admin), or "
)


@dataclass(frozen=True)
class NetworkSet:
    """The networks of a release: `files` maps a relative path to its SHA-256 or ''."""

    name: str
    files: Mapping[str, str]
    models_dir: Path

    @property
    def folder(self) -> Path:
        """Where the files lie; the published set lies where the predecessor had it."""
        if self.name == PUBLISHED:
            return self.models_dir
        return self.models_dir / self.name

    @property
    def detector_file(self) -> str:
        """The one file that is not an embedder."""
        (name,) = set(self.files) - {FACENET_FILE, ARCFACE_FILE}
        return name

    def missing_files(self) -> list[str]:
        """Return the files that are not there, sorted; their bytes are not read."""
        return sorted(name for name in self.files if not (self.folder / name).is_file())

    def require_installed(self) -> None:
        """Raise ModelsNotInstalled, saying what to do, unless every digest matches."""
        if missing := self.missing_files():
            raise ModelsNotInstalled(
                f"The networks of this release ({self.name}) are not installed:"
                f" {_DOWNLOAD_HINT * (self.name == PUBLISHED)}"
                f"put {', '.join(missing)} into {self.folder}."
            )
        for name, expected in self.files.items():
            if expected and (actual := sha256_of(self.folder / name)) != expected:
                raise ModelsNotInstalled(
                    f"{self.folder / name} is not the file this release was made"
                    f" with: expected sha256 {expected}, got {actual}."
                )


@dataclass(frozen=True)
class Networks:
    """The open networks of one set."""

    name: str
    detector: FaceDetector
    facenet: Embedder
    arcface: Embedder

    def with_sizes(
        self, *, detection_size_px: int, embedding_batch_size: int
    ) -> "Networks":
        """Return the same open networks with these sizes, and leave these as they are.

        Where nothing is to change, that is this very object.
        """
        sizes = (
            self.detector.size_px,
            self.facenet.batch_size,
            self.arcface.batch_size,
        )
        if sizes == (detection_size_px, embedding_batch_size, embedding_batch_size):
            return self
        return replace(
            self,
            detector=self.detector.with_size(detection_size_px),
            facenet=self.facenet.with_batch_size(embedding_batch_size),
            arcface=self.arcface.with_batch_size(embedding_batch_size),
        )


def open_networks(
    network_set: NetworkSet,
    plan: ExecutionPlan,
    *,
    detection_size_px: int,
    embedding_batch_size: int,
) -> Networks:
    """Return the set's networks, open; raises ModelsNotInstalled."""
    network_set.require_installed()
    folder = network_set.folder
    detector_path = folder / network_set.detector_file
    networks = Networks(
        name=network_set.name,
        detector=FaceDetector(
            open_session(detector_path, plan), detector_path, size_px=detection_size_px
        ),
        facenet=Embedder(
            open_session(folder / FACENET_FILE, plan),
            facenet_input,
            batch_size=embedding_batch_size,
        ),
        arcface=Embedder(
            open_session(folder / ARCFACE_FILE, plan),
            arcface_input,
            batch_size=embedding_batch_size,
        ),
    )
    logger.info("Opened the networks %s on %s", network_set.name, plan.device)
    return networks
