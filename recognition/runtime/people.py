"""Faces compared with a release, and the people they make.

All that is asked of a face is its embeddings, so faces just detected and faces stored
long ago are matched in the same way. `tagged` here are universal ids.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from dbupdates.prepared import PreparedRelease
from recognition.numeric.arrays import Embeddings
from recognition.numeric.clustering import (
    CLUSTER_THRESHOLD,
    cluster_faces,
    merge_same_performer,
)
from recognition.numeric.fusion import Candidate
from recognition.numeric.gallery_matching import GalleryPeople, match_gallery
from recognition.numeric.people import (
    MatchingMode,
    PersonCandidate,
    SeenFace,
    SeenPerson,
)
from recognition.numeric.scene_matching import (
    MIN_CONFIDENCE,
    ClusteredFaces,
    match_scene,
)
from recognition.runtime.candidates import candidates_of
from recognition.runtime.embedders import EMBEDDING_SIZE
from recognition.runtime.face_database import FaceDatabase

# A face proposes more performers than a person shows: who is second at every face may
# be first for the person.
CANDIDATES_PER_SHOWN = 2


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """How faces become people; the defaults are a scene's."""

    mode: MatchingMode = MatchingMode.FREQUENCY
    top_k: int = 3
    max_distance: float = 0.5
    cluster_threshold: float = CLUSTER_THRESHOLD
    tagged: frozenset[str] = frozenset()


def people_in_scene(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[SeenPerson]:
    """Return every person of the scene, the named ones first; see `match_scene`."""
    candidates = _candidates(
        database, faces, options, max_candidates=CANDIDATES_PER_SHOWN * options.top_k
    )
    return scene_people(database.release, faces, candidates, options)


def scene_people(
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    candidates: Sequence[Sequence[Candidate]],
    options: MatchingOptions,
) -> list[SeenPerson]:
    """Return the people of a scene whose candidates were found before."""
    # Where nobody is near enough to be accepted, two people are not one for it.
    clusters = merge_same_performer(
        _clusters(faces, options),
        candidates,
        max_distance=min(options.max_distance, 1 - MIN_CONFIDENCE),
    )
    return match_scene(
        ClusteredFaces([face.frame for face in faces], candidates, clusters),
        mode=options.mode,
        top_k=options.top_k,
        max_distance=options.max_distance,
        tagged=_tagged_rows(release, candidates, options.tagged),
    )


def people_in_gallery(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> GalleryPeople:
    """Return the people of a gallery whose pictures `frame` numbers.

    A gallery has one rule, whatever the mode, and each face its one best match.
    """
    candidates = _candidates(database, faces, options, max_candidates=1)
    return match_gallery(
        ClusteredFaces(
            [face.frame for face in faces], candidates, _clusters(faces, options)
        ),
        max_distance=options.max_distance,
    )


def people_in_image(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[SeenPerson]:
    """Return a person for each face, in their order; a picture may show one twice."""
    candidates = _candidates(database, faces, options, max_candidates=options.top_k)
    return [
        SeenPerson(
            faces=(position,),
            frame_count=1,
            candidates=tuple(map(_of_one_face, found)),
        )
        for position, found in enumerate(candidates)
    ]


def _candidates(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    *,
    max_candidates: int,
) -> list[list[Candidate]]:
    facenet, arcface = _embeddings(faces)
    return candidates_of(
        database,
        facenet,
        arcface,
        max_candidates=max_candidates,
        max_distance=options.max_distance,
    )


def _clusters(faces: Sequence[SeenFace], options: MatchingOptions) -> list[list[int]]:
    facenet, arcface = _embeddings(faces)
    return cluster_faces(facenet, arcface, threshold=options.cluster_threshold)


def _embeddings(faces: Sequence[SeenFace]) -> tuple[Embeddings, Embeddings]:
    if not faces:
        nothing = np.empty((0, EMBEDDING_SIZE), dtype=np.float32)
        return nothing, nothing
    return (
        np.stack([face.facenet for face in faces]).astype(np.float32, copy=False),
        np.stack([face.arcface for face in faces]).astype(np.float32, copy=False),
    )


def _tagged_rows(
    release: PreparedRelease,
    candidates: Sequence[Sequence[Candidate]],
    tagged: Collection[str],
) -> frozenset[int]:
    """Return the rows of tagged performers, of those who are a candidate at all.

    A release has no map from universal ids to rows, and a hundred thousand ids are
    not worth keeping for the few performers that a scene is about.
    """
    if not tagged:
        return frozenset()
    rows = {candidate.performer for found in candidates for candidate in found}
    return frozenset(
        row for row in rows if release.performer(row).universal_id in tagged
    )


def _of_one_face(candidate: Candidate) -> PersonCandidate:
    return PersonCandidate(
        performer=candidate.performer,
        distance=candidate.distance,
        facenet_distance=candidate.facenet_distance,
        arcface_distance=candidate.arcface_distance,
        confidence=candidate.confidence,
        frame_count=1,
    )
