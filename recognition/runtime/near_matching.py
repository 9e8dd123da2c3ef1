"""How what is near to stored faces changes from one release to the next."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import CLEARLY_APART_DISTANCE, HEALTH_NEIGHBOURS
from recognition.numeric.near_faces import NearFaces, reach_of
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.runtime.candidates import near_faces_of
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.face_identities import FaceIdentities, ReleaseChange

Distances = NDArray[np.float32]


class ReleaseFollower:
    """Brings stored results of one release up to a later one.

    Only what was added and removed is compared. A face is looked up anew where more
    may be near than its list has, or where it lost neighbours so near that embedders
    are judged by them. One thing is left as it was: at which distance an embedder's
    hundred neighbours end, which a small change moves by a place or two.
    """

    def __init__(self, old: FaceIdentities, new: FaceIdentities) -> None:
        self._new = new
        self._change = ReleaseChange.between(old, new)

    @property
    def added_count(self) -> int:
        return len(self._change.new_rows)

    def load_added(self, database: FaceDatabase) -> None:
        """Read the vectors of the faces that were added; `follow` needs them."""
        added = self._change.new_rows
        self._added_facenet = database.facenet.vectors(added)
        self._added_arcface = database.arcface.vectors(added)

    def follow(
        self,
        faces: PackedFaces,
        near: PackedNear,
        database: FaceDatabase,
        *,
        max_distance: float,
    ) -> list[NearFaces] | None:
        """Return what is near each face now; None if nothing changed for any."""
        reach = reach_of(max_distance)
        embeddings = faces.embeddings("facenet"), faces.embeddings("arcface")
        facenet = _distances(embeddings[0], self._added_facenet)
        arcface = _distances(embeddings[1], self._added_arcface)
        is_near = (facenet <= reach) | (arcface <= reach)
        is_gone = self._change.is_gone(near.near["face"])
        is_changed: NDArray[np.bool_] = np.asarray(is_near.any(axis=1))
        is_changed[near.near["probe"][is_gone]] = True
        if not is_changed.any():
            return None
        kept = PackedNear(near.near[~is_gone], near.health)
        probes = kept.probes(self._new.rows_of(kept.near["face"]))
        for position in np.flatnonzero(is_changed).tolist():
            lost = near.near[is_gone & (near.near["probe"] == position)]
            added = _Added(
                self._change.new_rows, is_near[position], facenet[position],
                arcface[position],
            )  # fmt: skip
            probe = _edited(probes[position], lost, added)
            if probe.is_cut(reach) or self._must_judge_anew(probe):
                (probe,) = near_faces_of(
                    database,
                    *(each[position : position + 1] for each in embeddings),
                    max_distance=max_distance,
                )
            probes[position] = probe
        return probes

    def _must_judge_anew(self, probe: NearFaces) -> bool:
        """Return whether it takes distances that are not known to judge an embedder."""
        wanted = min(HEALTH_NEIGHBOURS, len(self._new.digests))
        return any(
            len(nearest) < wanted
            and not (len(nearest) and nearest[0] >= CLEARLY_APART_DISTANCE)
            for nearest in (probe.nearest_facenet, probe.nearest_arcface)
        )


@dataclass(frozen=True)
class _Added:
    """The faces that a release added: how far from one probe, and which are near."""

    rows: NDArray[np.int64]
    is_near: NDArray[np.bool_]
    facenet: Distances
    arcface: Distances


def _edited(probe: NearFaces, lost: NDArray[np.void], added: _Added) -> NearFaces:
    """Return what is near a probe without what it lost, with what was added."""
    return NearFaces(
        faces=np.concatenate([probe.faces, added.rows[added.is_near]]),
        facenet_distances=np.concatenate(
            [
                probe.facenet_distances,
                _ranked(added.facenet[added.is_near], probe.facenet_cut),
            ]
        ),
        arcface_distances=np.concatenate(
            [
                probe.arcface_distances,
                _ranked(added.arcface[added.is_near], probe.arcface_cut),
            ]
        ),
        nearest_facenet=_nearest(probe.nearest_facenet, lost["facenet"], added.facenet),
        nearest_arcface=_nearest(probe.nearest_arcface, lost["arcface"], added.arcface),
        facenet_cut=probe.facenet_cut,
        arcface_cut=probe.arcface_cut,
    )


def _ranked(distances: Distances, cut: float) -> Distances:
    """Return the distances, NaN for what is not among the embedder's neighbours."""
    return np.where(distances <= cut, distances, np.float32(np.nan))


def _nearest(known: Distances, lost: Distances, added: Distances) -> Distances:
    """Return the smallest distances there are now, as far as they are known.

    What lies beyond the last that was known is not, so there may be fewer of them.
    """
    bound = known[-1] if len(known) >= HEALTH_NEIGHBOURS else np.inf
    left = np.sort(known)
    for distance in lost[np.isfinite(lost)]:
        place = np.searchsorted(left, distance)
        if place < len(left) and left[place] == distance:
            left = np.delete(left, place)
    merged: Distances = np.sort(np.concatenate([left, added[added <= bound]]))
    return merged[:HEALTH_NEIGHBOURS]


def _distances(probes: Embeddings, added: Embeddings) -> Distances:
    """Return cosine distances [probes, added]; the added vectors have length one."""
    lengths = np.linalg.norm(probes, axis=1, keepdims=True)
    unit = probes / np.maximum(lengths, np.finfo(np.float32).tiny)
    # This way round: OpenBLAS divides the rows among its threads, and takes ten times
    # as long for 60 rows by 2,500 columns as for the reverse.
    distances: Distances = (1 - added @ unit.T).T
    return distances
