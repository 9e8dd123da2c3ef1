"""The faces of a release that can matter to a probe: few, and enough to fuse again.

Fusion looks at a hundred neighbours of each embedder, and nearly all of them are too
far to become a candidate. Those that are not, and the nearest distances that an
embedder is judged by, give the same candidates; and they can be kept, and edited when
a release gains and loses faces, without asking an index.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.fusion import (
    ARCFACE_WEIGHT,
    FACENET_WEIGHT,
    HEALTH_NEIGHBOURS,
    MISSING_DISTANCE,
    Neighbours,
)

# Of twenty neighbours one that is further off than this makes an embedder healthy, by
# the variance alone (SUSPICIOUS_VARIANCE). So who is nearer than this decides that.
HEALTH_REACH = 0.35


@dataclass(frozen=True)
class NearFaces:
    """Near faces of one probe, with both distances, NaN where an embedder missed one.

    `nearest_facenet` and `nearest_arcface` are each embedder's smallest distances, up
    to HEALTH_NEIGHBOURS. `facenet_cut` and `arcface_cut` are the distances at which
    its neighbours ended, infinite where it ranked every face there is.
    """

    faces: NDArray[np.int64]
    facenet_distances: NDArray[np.float32]
    arcface_distances: NDArray[np.float32]
    nearest_facenet: NDArray[np.float32]
    nearest_arcface: NDArray[np.float32]
    facenet_cut: float
    arcface_cut: float

    def is_cut(self, reach: float) -> bool:
        """Return whether more faces may be within reach than were found."""
        return min(self.facenet_cut, self.arcface_cut) <= reach


def reach_of(max_distance: float) -> float:
    """Return the distance beyond which, in both embedders, a face does not matter.

    A face that one embedder alone ranks takes MISSING_DISTANCE for the other, so it
    may itself be further off than `max_distance` and a candidate; and one that is no
    candidate may still say how well an embedder does.
    """
    alone = max(
        (max_distance - ARCFACE_WEIGHT * MISSING_DISTANCE) / FACENET_WEIGHT,
        (max_distance - FACENET_WEIGHT * MISSING_DISTANCE) / ARCFACE_WEIGHT,
    )
    return max(max_distance, alone, HEALTH_REACH)


def select_near(
    facenet: Neighbours, arcface: Neighbours, *, reach: float, cut_at: int
) -> NearFaces:
    """Return the near ones among both embedders' neighbours, by face.

    `cut_at` is how many neighbours were asked for: a list as long as that may have
    left out whatever is further off than its last.
    """
    faces, positions = np.unique(
        np.concatenate([facenet.faces, arcface.faces]), return_inverse=True
    )
    distances = np.full((2, len(faces)), np.nan, dtype=np.float32)
    distances[0, positions[: len(facenet.faces)]] = facenet.distances
    distances[1, positions[len(facenet.faces) :]] = arcface.distances
    is_near = (distances <= reach).any(axis=0)
    return NearFaces(
        faces=faces[is_near].astype(np.int64),
        facenet_distances=distances[0, is_near],
        arcface_distances=distances[1, is_near],
        nearest_facenet=_nearest(facenet),
        nearest_arcface=_nearest(arcface),
        facenet_cut=_cut(facenet, cut_at),
        arcface_cut=_cut(arcface, cut_at),
    )


def _nearest(neighbours: Neighbours) -> NDArray[np.float32]:
    return np.asarray(neighbours.distances[:HEALTH_NEIGHBOURS], dtype=np.float32)


def _cut(neighbours: Neighbours, cut_at: int) -> float:
    is_whole = len(neighbours.distances) < cut_at
    return np.inf if is_whole else float(np.float32(neighbours.distances[-1]))
