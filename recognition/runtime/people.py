"""Faces compared with a release, and the people they make.

All that is asked of a face is its embeddings, so faces just detected and faces stored
long ago are matched in the same way. `tagged` here are universal ids, or bare ones.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from dbupdates.prepared import PreparedRelease
from recognition.numeric.arrays import Embeddings
from recognition.numeric.calibration import SHIPPED_CALIBRATION, Calibration
from recognition.numeric.clustering import (
    CLUSTER_THRESHOLD,
    cluster_faces,
    merge_same_performer,
)
from recognition.numeric.fusion import Candidate
from recognition.numeric.gallery_matching import GalleryPeople, match_gallery
from recognition.numeric.grouping import JOIN_SIMILARITY
from recognition.numeric.near_faces import NearFaces
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
from recognition.numeric.template_matching import decide
from recognition.runtime.candidates import candidates_among, near_faces_of
from recognition.runtime.embedders import EMBEDDING_SIZE
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.template_people import scored_people

# A face proposes more performers than a person shows: who is second at every face may
# be first for the person.
CANDIDATES_PER_SHOWN = 2

# What is near each face is asked and kept for the modes that judge each face alone.
NOT_LOOKED_UP: tuple[NearFaces, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """How faces become people; the defaults are a scene's.

    `cluster_threshold` is the cosine distance from a person's mean beyond which a face
    is somebody else's; None is what suits the mode.
    """

    mode: MatchingMode = MatchingMode.FREQUENCY
    top_k: int = 3
    max_distance: float = 0.5
    cluster_threshold: float | None = None
    tagged: frozenset[str] = frozenset()
    calibration: Calibration = SHIPPED_CALIBRATION


@dataclass(frozen=True)
class MatchedFaces:
    """Faces, what of the release is near each, and the people they were taken for."""

    faces: Sequence[SeenFace]
    near: Sequence[NearFaces]
    people: list[SeenPerson]
    database: FaceDatabase


def match_scene_faces(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    *,
    kept_count: int = 0,
) -> MatchedFaces:
    """Return every person of the scene, the named ones first; see `match_scene`.

    Of each person's candidates `kept_count` stay, for others to choose from, where
    that is more than are shown; who is named does not depend on it.
    """
    if options.mode is MatchingMode.TEMPLATE:
        people = template_people(database, faces, options, kept_count=kept_count)
        return MatchedFaces(faces, NOT_LOOKED_UP, people, database)
    near = _near(database, faces, options)
    people = scene_people(database.release, faces, near, options, kept_count=kept_count)
    return MatchedFaces(faces, near, people, database)


def template_people(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    *,
    kept_count: int = 0,
) -> list[SeenPerson]:
    """Return every person of a scene or gallery, each judged as a whole; see `decide`.

    `max_distance` is of the other modes: here the calibrated score decides.
    """
    people = scored_people(
        database,
        faces,
        join_similarity=_join_similarity(options),
        calibration=options.calibration,
    )
    rows = {int(row) for person in people for row in person.scores.performers}
    return decide(
        people,
        options.calibration,
        top_k=options.top_k,
        tagged=_tagged_among(database.release, rows, options.tagged),
        kept_count=kept_count,
    )


def people_in_scene(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[SeenPerson]:
    """Return the people alone."""
    return match_scene_faces(database, faces, options).people


def scene_people(
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    near: Sequence[NearFaces],
    options: MatchingOptions,
    *,
    kept_count: int = 0,
) -> list[SeenPerson]:
    """Return the people of a scene whose near faces were found before."""
    candidates = candidates_among(
        near,
        release,
        max_candidates=CANDIDATES_PER_SHOWN * options.top_k,
        max_distance=options.max_distance,
    )
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
        kept_count=kept_count,
    )


def people_in_gallery(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> GalleryPeople:
    """Return the people of a gallery whose pictures `frame` numbers.

    A gallery has one rule, whatever the mode, and each face its one best match.
    """
    candidates = candidates_among(
        _near(database, faces, options),
        database.release,
        max_candidates=1,
        max_distance=options.max_distance,
    )
    return match_gallery(
        ClusteredFaces(
            [face.frame for face in faces], candidates, _clusters(faces, options)
        ),
        max_distance=options.max_distance,
    )


def match_image_faces(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> MatchedFaces:
    """Return a person for each face, in their order; a picture may show one twice."""
    if options.mode is MatchingMode.TEMPLATE:
        people = template_people_in_image(database, faces, options)
        return MatchedFaces(faces, NOT_LOOKED_UP, people, database)
    near = _near(database, faces, options)
    people = image_people(database.release, near, options)
    return MatchedFaces(faces, near, people, database)


def template_people_in_image(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[SeenPerson]:
    """Return a person for each face, each decided alone, for a collage repeats people.

    All are of one frame, and so no two of them one person.
    """
    people = scored_people(
        database,
        faces,
        join_similarity=_join_similarity(options),
        calibration=options.calibration,
    )
    return [
        person
        for each in people
        for person in decide([each], options.calibration, top_k=options.top_k)
    ]


def people_in_image(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[SeenPerson]:
    """Return the people alone."""
    return match_image_faces(database, faces, options).people


def image_people(
    release: PreparedRelease, near: Sequence[NearFaces], options: MatchingOptions
) -> list[SeenPerson]:
    """Return the people of an image whose near faces were found before."""
    candidates = candidates_among(
        near,
        release,
        max_candidates=options.top_k,
        max_distance=options.max_distance,
    )
    return [
        SeenPerson(
            faces=(position,),
            frame_count=1,
            candidates=tuple(map(_of_one_face, found)),
        )
        for position, found in enumerate(candidates)
    ]


def _near(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[NearFaces]:
    facenet, arcface = _embeddings(faces)
    return near_faces_of(database, facenet, arcface, max_distance=options.max_distance)


def _clusters(faces: Sequence[SeenFace], options: MatchingOptions) -> list[list[int]]:
    facenet, arcface = _embeddings(faces)
    threshold = options.cluster_threshold
    if threshold is None:
        threshold = CLUSTER_THRESHOLD
    return cluster_faces(facenet, arcface, threshold=threshold)


def _join_similarity(options: MatchingOptions) -> float:
    threshold = options.cluster_threshold
    return JOIN_SIMILARITY if threshold is None else 1 - threshold


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
    tagged: frozenset[str],
) -> frozenset[int]:
    """Return the rows of tagged performers, of those who are a candidate at all.

    A release has no map from universal ids to rows, and a hundred thousand ids are
    not worth keeping for the few performers that a scene is about.
    """
    rows = {candidate.performer for found in candidates for candidate in found}
    return _tagged_among(release, rows, tagged)


def _tagged_among(
    release: PreparedRelease, rows: Set[int], tagged: frozenset[str]
) -> frozenset[int]:
    if not tagged:
        return frozenset()
    return frozenset(
        row
        for row in rows
        if not tagged.isdisjoint(_spellings(release.performer(row).universal_id))
    )


def _spellings(universal_id: str) -> tuple[str, str]:
    """Return the id, and the bare one that clients of the predecessor know it by."""
    return universal_id, universal_id.rpartition(":")[2]


def _of_one_face(candidate: Candidate) -> PersonCandidate:
    return PersonCandidate(
        performer=candidate.performer,
        distance=candidate.distance,
        facenet_distance=candidate.facenet_distance,
        arcface_distance=candidate.arcface_distance,
        confidence=candidate.confidence,
        frame_count=1,
    )
