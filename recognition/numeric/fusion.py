"""Score-level fusion: from two neighbour lists of one probe to candidates.

FaceNet and ArcFace each rank the faces of the index. An embedder can fail on a probe
(everything looks alike to it); fusion judges that from the distances alone, leaves a
failed embedder out, and gives one distance per performer.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Which performer each face of the index shows: the row in the performer table, or -1.
FacePerformers: TypeAlias = NDArray[np.int32]

FACENET_WEIGHT = 0.5
ARCFACE_WEIGHT = 0.5

# The distance an embedder is taken to have given a face it did not rank. Nearer than
# most it did rank last, but far enough that two embedders agreeing outrank one alone.
MISSING_DISTANCE = 0.5

# Thresholds of the predecessor, set on its release; the recorded cases pin them.
HEALTH_NEIGHBOURS = 20
CLEARLY_APART_DISTANCE = 0.20
MAX_SUSPICIOUS_MIN_DISTANCE = 0.10
SUSPICIOUS_VARIANCE = 0.002
SUSPICIOUS_RANGE = 0.05
COLLAPSED_VARIANCE = 0.001
COLLAPSED_RANGE = 0.03


class EmbedderHealth(StrEnum):
    """Whether one embedder told faces apart for one probe."""

    HEALTHY = "healthy"
    DEGENERATE = "degenerate"
    NO_RESULTS = "no_results"


class FusionStrategy(StrEnum):
    """Which distances count for one probe."""

    WEIGHTED = "weighted"
    FACENET_ONLY = "facenet_only"
    ARCFACE_ONLY = "arcface_only"
    FACENET_FALLBACK = "facenet_fallback"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The faces of one index nearest to a probe, nearest first."""

    faces: NDArray[np.integer]
    distances: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A performer proposed for a probe, by the nearest of their faces.

    A distance is None where that embedder did not rank the face or was left out.
    """

    performer: int
    face: int
    distance: float
    facenet_distance: float | None
    arcface_distance: float | None

    @property
    def confidence(self) -> float:
        """The distance turned round and clipped: 0…1, larger is better."""
        return min(max(1.0 - self.distance, 0.0), 1.0)


def embedder_health(distances: ArrayLike) -> EmbedderHealth:
    """Judge an embedder by the distances of its neighbours, nearest first.

    An embedder that sees nothing in a probe puts it close to many faces at nearly
    one distance. Distances that are not numbers count as absent.
    """
    nearest = np.asarray(distances, dtype=np.float64)
    nearest = nearest[np.isfinite(nearest)][:HEALTH_NEIGHBOURS]
    if not nearest.size:
        return EmbedderHealth.NO_RESULTS
    smallest = nearest.min()
    if smallest >= CLEARLY_APART_DISTANCE:
        return EmbedderHealth.HEALTHY
    spread = nearest.max() - smallest
    variance = nearest.var()
    is_suspicious = smallest < MAX_SUSPICIOUS_MIN_DISTANCE and (
        variance < SUSPICIOUS_VARIANCE or spread < SUSPICIOUS_RANGE
    )
    is_collapsed = spread < COLLAPSED_RANGE and variance < COLLAPSED_VARIANCE
    if is_suspicious or is_collapsed:
        return EmbedderHealth.DEGENERATE
    return EmbedderHealth.HEALTHY


def choose_strategy(
    *, facenet: EmbedderHealth, arcface: EmbedderHealth
) -> FusionStrategy:
    """Return the strategy that leaves out whatever is not healthy.

    With nothing healthy FaceNet's distances are better than no answer.
    """
    match facenet is EmbedderHealth.HEALTHY, arcface is EmbedderHealth.HEALTHY:
        case True, True:
            return FusionStrategy.WEIGHTED
        case True, False:
            return FusionStrategy.FACENET_ONLY
        case False, True:
            return FusionStrategy.ARCFACE_ONLY
        case _:
            return FusionStrategy.FACENET_FALLBACK


def fuse(
    facenet: Neighbours,
    arcface: Neighbours,
    *,
    face_performers: FacePerformers,
    strategy: FusionStrategy,
    max_distance: float,
    max_candidates: int | None = None,
) -> list[Candidate]:
    """Return one candidate per performer within `max_distance`, nearest first.

    Faces of nobody (-1) and faces beyond `face_performers` are skipped. Equal
    distances keep the order of the face rows, so an answer can be repeated.
    """
    return fuse_aligned(
        *_aligned_by_face(facenet, arcface),
        face_performers=face_performers,
        strategy=strategy,
        max_distance=max_distance,
        max_candidates=max_candidates,
    )


def fuse_aligned(
    faces: NDArray[np.int64],
    facenet_distances: NDArray[np.float64],
    arcface_distances: NDArray[np.float64],
    *,
    face_performers: FacePerformers,
    strategy: FusionStrategy,
    max_distance: float,
    max_candidates: int | None = None,
) -> list[Candidate]:
    """Return the same for faces in ascending order, each once, with both distances.

    A distance is NaN where the embedder did not rank the face.
    """
    if strategy in (FusionStrategy.FACENET_ONLY, FusionStrategy.FACENET_FALLBACK):
        arcface_distances = np.full(len(faces), np.nan)
    fused = _fused_distances(facenet_distances, arcface_distances, strategy=strategy)
    # NaN is within no limit: a face the deciding embedder did not rank drops out.
    rows = np.flatnonzero(fused <= max_distance)
    rows = rows[(faces[rows] >= 0) & (faces[rows] < len(face_performers))]
    performers = face_performers[faces[rows]]
    rows, performers = rows[performers >= 0], performers[performers >= 0]
    order = np.argsort(fused[rows], kind="stable")
    rows, performers = rows[order], performers[order]
    _, firsts = np.unique(performers, return_index=True)
    firsts.sort()
    nearest = rows[firsts[:max_candidates]]
    return [
        Candidate(performer, face, distance, *map(_or_none, distances))
        for performer, face, distance, *distances in zip(
            face_performers[faces[nearest]].tolist(),
            faces[nearest].tolist(),
            fused[nearest].tolist(),
            facenet_distances[nearest].tolist(),
            arcface_distances[nearest].tolist(),
            strict=True,
        )
    ]


def _finite(neighbours: Neighbours) -> Neighbours:
    """Return the neighbours that have a distance."""
    distances = np.asarray(neighbours.distances, dtype=np.float64)
    is_known = np.isfinite(distances)
    faces = np.asarray(neighbours.faces, dtype=np.int64)
    return Neighbours(faces[is_known], distances[is_known])


def _aligned_by_face(
    facenet: Neighbours, arcface: Neighbours
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return every face of either list once, with both distances, NaN where missing."""
    facenet, arcface = _finite(facenet), _finite(arcface)
    faces, positions = np.unique(
        np.concatenate([facenet.faces, arcface.faces]), return_inverse=True
    )
    facenet_distances = np.full(len(faces), np.nan)
    arcface_distances = np.full(len(faces), np.nan)
    facenet_distances[positions[: len(facenet.faces)]] = facenet.distances
    arcface_distances[positions[len(facenet.faces) :]] = arcface.distances
    return faces.astype(np.int64), facenet_distances, arcface_distances


def _fused_distances(
    facenet: NDArray[np.float64],
    arcface: NDArray[np.float64],
    *,
    strategy: FusionStrategy,
) -> NDArray[np.float64]:
    if strategy is FusionStrategy.ARCFACE_ONLY:
        return arcface
    if strategy is not FusionStrategy.WEIGHTED:
        return facenet
    is_missing = np.isnan(facenet) & np.isnan(arcface)
    facenet = np.where(np.isnan(facenet), MISSING_DISTANCE, facenet)
    arcface = np.where(np.isnan(arcface), MISSING_DISTANCE, arcface)
    fused = FACENET_WEIGHT * facenet + ARCFACE_WEIGHT * arcface
    # A face that neither ranked is no candidate, however far off one may be.
    fused[is_missing] = np.nan
    return fused


def _or_none(distance: float) -> float | None:
    return None if math.isnan(distance) else distance
