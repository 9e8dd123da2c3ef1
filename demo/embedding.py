"""Faces of demo pictures, embedded by the production code with the demo's networks."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.alignment import align_face
from recognition.numeric.arrays import RgbImage
from recognition.runtime.networks import (
    ARCFACE_FILE,
    FACENET_FILE,
    Networks,
    NetworkSet,
    open_networks,
)
from recognition.runtime.providers import choose_execution_plan
from stashsense.files import sha256_of

NETWORK_SET_NAME = "demo-1"
NETWORKS_DIR = Path(__file__).parent / "networks"
DETECTOR_FILE = "detector/det_demo.onnx"
NETWORK_FILES = (FACENET_FILE, ARCFACE_FILE, DETECTOR_FILE)

# Reference drawings are 320 px wide: a larger square would only enlarge them.
REFERENCE_DETECTION_SIZE_PX = 320
MIN_FACE_CONFIDENCE = 0.5


@dataclass(frozen=True)
class EmbeddedFace:
    facenet: NDArray[np.float32]
    arcface: NDArray[np.float32]


@cache
def network_digests() -> dict[str, str]:
    """Return the SHA-256 of each committed network by its path in the set."""
    return {name: sha256_of(NETWORKS_DIR / name) for name in NETWORK_FILES}


def open_demo_networks(*, detection_size_px: int) -> Networks:
    """Return the committed networks, open.

    On the CPU always: a release must have the same bytes on every machine.
    """
    # The folder they are committed in has the layout of an installed set.
    committed = NetworkSet(
        name=NETWORKS_DIR.name, files=network_digests(), models_dir=NETWORKS_DIR.parent
    )
    return open_networks(
        committed,
        choose_execution_plan("cpu"),
        detection_size_px=detection_size_px,
        embedding_batch_size=1,
    )


def embed_reference(networks: Networks, image: RgbImage) -> EmbeddedFace | None:
    """Return the surest face of a picture, or None where no face is found."""
    faces = networks.detector.detect_faces(image, min_confidence=MIN_FACE_CONFIDENCE)
    if not faces:
        return None
    crops = [align_face(image, faces[0].landmarks)]
    return EmbeddedFace(
        facenet=networks.facenet.embed(crops)[0],
        arcface=networks.arcface.embed(crops)[0],
    )
