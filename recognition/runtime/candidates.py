"""From embeddings to the performers of a release that they may show."""

from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np

from dbupdates.prepared import PreparedRelease
from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import (
    Candidate,
    choose_strategy,
    embedder_health,
    fuse_aligned,
)
from recognition.numeric.near_faces import (
    NearFaces,
    reach_of,
    select_near,
)
from recognition.runtime.face_database import FaceDatabase

# Neighbours of each face in each index.
NEIGHBOUR_COUNT = 100


def candidates_of(
    database: FaceDatabase,
    facenet: Embeddings,
    arcface: Embeddings,
    *,
    max_candidates: int | None,
    max_distance: float,
) -> list[list[Candidate]]:
    """Return the candidates of each pair of embeddings, nearest first.

    Each performer appears once in a face's candidates.
    """
    return candidates_among(
        near_faces_of(database, facenet, arcface, max_distance=max_distance),
        database.release,
        max_candidates=max_candidates,
        max_distance=max_distance,
    )


def near_faces_of(
    database: FaceDatabase,
    facenet: Embeddings,
    arcface: Embeddings,
    *,
    max_distance: float,
) -> list[NearFaces]:
    """Return for each pair of embeddings what can be a candidate of theirs."""
    reach = reach_of(max_distance)
    neighbours = zip(
        database.facenet.nearest(facenet, k=NEIGHBOUR_COUNT),
        database.arcface.nearest(arcface, k=NEIGHBOUR_COUNT),
        strict=True,
    )
    return [
        select_near(*pair, reach=reach, cut_at=NEIGHBOUR_COUNT) for pair in neighbours
    ]


def without_forbidden(
    near: Sequence[NearFaces],
    release: PreparedRelease,
    forbidden: Sequence[Set[int]],
) -> Sequence[NearFaces]:
    """Return what is near each probe but for faces of performers it may not be.

    Embedders are judged by the distances to all faces, as if nobody were forbidden.
    """
    if not any(forbidden):
        return near
    return [
        _without(probe, release, barred) if barred else probe
        for probe, barred in zip(near, forbidden, strict=True)
    ]


def _without(probe: NearFaces, release: PreparedRelease, barred: Set[int]) -> NearFaces:
    kept = ~np.isin(release.face_performers[probe.faces], [*barred])
    return replace(
        probe,
        faces=probe.faces[kept],
        facenet_distances=probe.facenet_distances[kept],
        arcface_distances=probe.arcface_distances[kept],
    )


def candidates_among(
    near: Sequence[NearFaces],
    release: PreparedRelease,
    *,
    max_candidates: int | None,
    max_distance: float,
) -> list[list[Candidate]]:
    """Return the candidates of each probe, nearest first, a performer once."""
    return [
        fuse_aligned(
            probe.faces,
            probe.facenet_distances.astype(np.float64),
            probe.arcface_distances.astype(np.float64),
            face_performers=release.face_performers,
            strategy=choose_strategy(
                facenet=embedder_health(probe.nearest_facenet),
                arcface=embedder_health(probe.nearest_arcface),
            ),
            max_distance=max_distance,
            max_candidates=max_candidates,
        )
        for probe in near
    ]
