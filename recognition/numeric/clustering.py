"""Which faces show one person, from their embeddings and in the order they came.

Who the person is does not matter here, but for joining clusters that look like the
same performer. Two faces of one frame may end in one cluster: nothing forbids it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import Candidate
from recognition.numeric.unit_vectors import unit_rows

# Positions of faces, ascending.
Cluster = list[int]

# The predecessor's, which was set for embeddings of unequal length. With unit ones it
# says that the two embedders' cosines to a person average at least 0.4.
CLUSTER_THRESHOLD = 0.6

# What a sum that cancels out is divided by: its distance to everything is then 1.
_SMALLEST_LENGTH = np.finfo(np.float32).tiny


def cluster_faces(
    facenet: Embeddings, arcface: Embeddings, *, threshold: float = CLUSTER_THRESHOLD
) -> list[Cluster]:
    """Return the clusters of the faces, in the order of their first faces.

    Each face in its turn joins the cluster whose mean is nearest by cosine distance,
    when nearer than `threshold`, or else begins one. Both embeddings are normalised
    before they are put together, so that neither outweighs the other. A face whose
    embedding is zero or not finite resembles nobody: its distance is 1.
    """
    vectors = joint_vectors(facenet, arcface)
    # Cosine distance does not look at lengths: the sum stands for the mean.
    sums = np.empty_like(vectors)
    lengths = np.empty(len(vectors), dtype=np.float32)
    clusters: list[Cluster] = []
    for face, vector in enumerate(vectors):
        known = len(clusters)
        distances = 1 - (sums[:known] @ vector) / lengths[:known]
        nearest = int(distances.argmin()) if known else 0
        if known and distances[nearest] < threshold:
            clusters[nearest].append(face)
            sums[nearest] += vector
        else:
            nearest = known
            clusters.append([face])
            sums[nearest] = vector
        lengths[nearest] = max(np.linalg.norm(sums[nearest]), _SMALLEST_LENGTH)
    return clusters


def joint_vectors(facenet: Embeddings, arcface: Embeddings) -> NDArray[np.float32]:
    """Return both embeddings of each face in a row of length 1.

    Zero for a face of which neither is anything.
    """
    return unit_rows(np.hstack([unit_rows(facenet), unit_rows(arcface)]))


def merge_same_performer(
    clusters: Sequence[Cluster],
    candidates: Sequence[Sequence[Candidate]],
    *,
    max_distance: float,
) -> list[Cluster]:
    """Return the clusters, those with the same nearest performer merged into one.

    `candidates` are those of each face, nearest first. A cluster with nobody within
    `max_distance` stays as it is: that two look like nobody does not make them one.
    """
    merged: list[Cluster] = []
    of_performer: dict[int, Cluster] = {}
    for faces in clusters:
        performer = _nearest_performer(
            [found for face in faces for found in candidates[face][:1]], max_distance
        )
        if performer is None or performer not in of_performer:
            merged.append(list(faces))
        else:
            of_performer[performer].extend(faces)
        if performer is not None:
            of_performer.setdefault(performer, merged[-1])
    return [sorted(faces) for faces in merged]


def _nearest_performer(
    candidates: Sequence[Candidate], max_distance: float
) -> int | None:
    """Return who is nearest, the lower row of two equally near."""
    near = [
        (candidate.distance, candidate.performer)
        for candidate in candidates
        if candidate.distance <= max_distance
    ]
    return min(near)[1] if near else None
