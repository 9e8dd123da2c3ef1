"""How what is near to stored faces changes from one release to the next."""

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import CLEARLY_APART_DISTANCE
from recognition.numeric.near_faces import NearFaces, reach_of
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.runtime.candidates import near_faces_of
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.face_identities import FaceIdentities, ReleaseChange


class ReleaseFollower:
    """Brings stored results of one release up to a later one.

    Only what was added and removed is compared. A face is looked up anew where its
    list was cut, or where it lost neighbours so near that embedders are judged by them.
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
        changed = np.asarray(is_near.any(axis=1))
        lost = {*near.near["probe"][is_gone].tolist()}
        changed[[*lost]] = True
        for position in np.flatnonzero(changed).tolist():
            if _must_look_up(probes[position], lost=position in lost):
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


def _must_look_up(probe: NearFaces, *, lost: bool) -> bool:
    if probe.is_cut or not lost:
        return probe.is_cut
    # Those that were lost are still among the distances the embedders are judged by.
    nearest = np.concatenate([probe.nearest_facenet, probe.nearest_arcface])
    return bool((nearest < CLEARLY_APART_DISTANCE).any())


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
