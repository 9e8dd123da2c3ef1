"""One template for a person out of many faces, each counted as much as it is worth.

A template is a direction: the mean of a person's unit embeddings, weighted by quality.
What the faces of one person have in common stays, what blur and light did to each goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.people import SeenFace
from recognition.numeric.unit_vectors import unit_rows, unit_rows_and_lengths

# A face of half the quality counts a quarter. Noise falls with quality about so fast:
# measured by benchmarks/open_set.py, where exponents from 1.5 to 3 do as well.
QUALITY_EXPONENT = 2.0
# How much shorter than its neighbours' an embedding may make a face count at most.
_MOST_SHORTENED = 0.25


@dataclass(frozen=True)
class FaceVectors:
    """Faces ready to be compared: unit embeddings of both embedders, and weights.

    `facenet` and `arcface` are float32 [faces, dimensions], zero where an embedding was
    zero or not finite; `weights` float64 [faces], 0 where either was.
    """

    facenet: Embeddings
    arcface: Embeddings
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights)


def face_vectors(faces: Sequence[SeenFace]) -> FaceVectors:
    """Return the faces' embeddings as unit vectors, and what each face is worth.

    That is its quality, less where both embeddings are short beside the others': a
    network that sees little in a face gives a short one (Meng et al. 2021). A face
    whose embedding is zero or not finite is worth nothing.
    """
    facenet, facenet_lengths = unit_rows_and_lengths(
        np.stack([face.facenet for face in faces])
    )
    arcface, arcface_lengths = unit_rows_and_lengths(
        np.stack([face.arcface for face in faces])
    )
    quality = np.nan_to_num(np.array([face.quality for face in faces]), nan=0.0)
    relative = np.sqrt(_relative(facenet_lengths) * _relative(arcface_lengths))
    worth = np.clip(quality, 0.0, 1.0) * np.clip(relative, _MOST_SHORTENED, 1.0)
    is_usable = (facenet_lengths > 0) & (arcface_lengths > 0)
    return FaceVectors(
        facenet, arcface, np.where(is_usable, worth**QUALITY_EXPONENT, 0.0)
    )


def template(rows: Embeddings, weights: NDArray[np.float64]) -> Embeddings:
    """Return the unit direction of the weighted rows; zero where they cancel out."""
    unit: Embeddings = unit_rows((weights @ rows)[None, :])[0]
    return unit


def _relative(lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each length beside the longest quarter's shortest."""
    known = lengths[lengths > 0]
    usual = float(np.quantile(known, 0.75)) if known.size else 1.0
    return lengths / usual
