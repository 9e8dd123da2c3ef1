"""What of a release is near to faces, and how that changes with the next release."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dbupdates.prepared import PreparedRelease
from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import (
    Candidate,
    choose_strategy,
    embedder_health,
    fuse,
)
from recognition.numeric.near_faces import (
    NearFaces,
    as_neighbours,
    reach_of,
    select_near,
)
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.face_identities import FaceIdentities, ReleaseChange

# Neighbours of each face in each index.
NEIGHBOUR_COUNT = 100


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


def candidates_among(
    near: Sequence[NearFaces],
    release: PreparedRelease,
    *,
    max_candidates: int | None,
    max_distance: float,
) -> list[list[Candidate]]:
    """Return the candidates of each probe, nearest first, a performer once."""
    return [
        fuse(
            *as_neighbours(probe),
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


class ReleaseFollower:
    """Brings stored results of one release up to a later one.

    Only what was added and removed is compared. A probe is asked anew where it is
    nearer to added faces than to all that was found, or where its list was cut.
    """

    def __init__(
        self, old: FaceIdentities, new: FaceIdentities, database: FaceDatabase
    ) -> None:
        self._new = new
        self._database = database
        self._change = ReleaseChange.between(old, new)
        added = self._change.new_rows
        self._added_facenet = database.facenet.vectors(added)
        self._added_arcface = database.arcface.vectors(added)

    @property
    def added_count(self) -> int:
        return len(self._change.new_rows)

    def follow(
        self, faces: PackedFaces, near: PackedNear, *, max_distance: float
    ) -> list[NearFaces] | None:
        """Return what is near each face now; None if nothing changed for any."""
        reach = reach_of(max_distance)
        facenet, arcface = faces.embeddings("facenet"), faces.embeddings("arcface")
        facenet_distances = _distances(facenet, self._added_facenet)
        arcface_distances = _distances(arcface, self._added_arcface)
        is_near = (facenet_distances <= reach) | (arcface_distances <= reach)
        is_gone = np.isin(near.near["face"], self._change.gone, assume_unique=False)
        if not is_near.any() and not is_gone.any():
            return None
        kept = PackedNear(near.near[~is_gone], near.health)
        probes = kept.probes(self._new.rows_of(kept.near["face"]))
        changed = is_near.any(axis=1)
        changed[np.unique(near.near["probe"][is_gone])] = True
        for position in np.flatnonzero(changed).tolist():
            if probes[position].is_cut:
                (probes[position],) = near_faces_of(
                    self._database,
                    facenet[position : position + 1],
                    arcface[position : position + 1],
                    max_distance=max_distance,
                )
                continue
            probes[position] = self._with_added(
                probes[position],
                is_near[position],
                facenet_distances[position],
                arcface_distances[position],
            )
        return probes

    def _with_added(
        self,
        probe: NearFaces,
        is_near: NDArray[np.bool_],
        facenet_distances: NDArray[np.float32],
        arcface_distances: NDArray[np.float32],
    ) -> NearFaces:
        return NearFaces(
            faces=np.concatenate([probe.faces, self._change.new_rows[is_near]]),
            facenet_distances=np.concatenate(
                [probe.facenet_distances, facenet_distances[is_near]]
            ),
            arcface_distances=np.concatenate(
                [probe.arcface_distances, arcface_distances[is_near]]
            ),
            nearest_facenet=_nearest(probe.nearest_facenet, facenet_distances),
            nearest_arcface=_nearest(probe.nearest_arcface, arcface_distances),
            is_cut=False,
        )


def _distances(probes: Embeddings, added: Embeddings) -> NDArray[np.float32]:
    """Return cosine distances [probes, added]; the added vectors have length one."""
    lengths = np.linalg.norm(probes, axis=1, keepdims=True)
    unit = probes / np.maximum(lengths, np.finfo(np.float32).tiny)
    distances: NDArray[np.float32] = 1 - unit @ added.T
    return distances


def _nearest(
    known: NDArray[np.float32], added: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the smallest of both, as many as were known."""
    merged = np.sort(np.concatenate([known, added]))
    return merged[: max(len(known), 1)]
