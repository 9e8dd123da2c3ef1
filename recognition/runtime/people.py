"""Faces compared with a release, and the people they make.

All that is asked of a face is its embeddings, so faces just detected and faces stored
long ago are matched in the same way. `tagged` here are universal ids, or bare ones.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from dbupdates.prepared import PreparedRelease
from recognition.numeric.arrays import Embeddings
from recognition.numeric.clustering import (
    CLUSTER_THRESHOLD,
    cluster_faces,
    merge_same_performer,
)
from recognition.numeric.corrections import (
    NO_CORRECTIONS,
    Corrections,
    permitted,
    shared,
)
from recognition.numeric.fusion import Candidate
from recognition.numeric.gallery_matching import match_gallery
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
from recognition.runtime.candidates import (
    candidates_among,
    near_faces_of,
    without_forbidden,
)
from recognition.runtime.corrected import corrected_people
from recognition.runtime.embedders import EMBEDDING_SIZE
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.matching_options import MatchingOptions as MatchingOptions
from recognition.runtime.matching_options import tagged_among
from recognition.runtime.template_people import (
    corrected_template_image,
    corrected_template_people,
)

# A face proposes more performers than a person shows: who is second at every face may
# be first for the person.
CANDIDATES_PER_SHOWN = 2

# What is near each face is asked and kept for the modes that judge each face alone.
NOT_LOOKED_UP: tuple[NearFaces, ...] = ()


@dataclass(frozen=True)
class MatchedFaces:
    """Faces, what of the release is near each, and the people they were taken for.

    `corrections` are what the owner had said of them by then.
    """

    faces: Sequence[SeenFace]
    near: Sequence[NearFaces]
    people: list[SeenPerson]
    database: FaceDatabase
    corrections: Corrections = NO_CORRECTIONS


def match_scene_faces(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    *,
    kept_count: int = 0,
    corrections: Corrections = NO_CORRECTIONS,
) -> MatchedFaces:
    """Return every person of the scene, the named ones first; see `match_scene`.

    Of each person's candidates `kept_count` stay, for others to choose from, where
    that is more than are shown; who is named does not depend on it.
    """
    if options.mode is MatchingMode.TEMPLATE:
        people = corrected_template_people(
            database, faces, options, corrections, kept_count=kept_count
        )
        return MatchedFaces(faces, NOT_LOOKED_UP, people, database, corrections)
    near = _near(database, faces, options)
    people = corrected_scene_people(
        database.release, faces, near, options, corrections, kept_count=kept_count
    )
    return MatchedFaces(faces, near, people, database, corrections)


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
    forbidden: Sequence[Set[int]] = (),
) -> list[SeenPerson]:
    """Return the people of a scene whose near faces were found before.

    `forbidden` are for each face the performers it is not of, as the owner says.
    """
    found = _clusters(faces, options)
    forbidden = shared(forbidden, found)
    candidates = candidates_among(
        without_forbidden(near, release, forbidden),
        release,
        max_candidates=CANDIDATES_PER_SHOWN * options.top_k,
        max_distance=options.max_distance,
    )
    # Where nobody is near enough to be accepted, two people are not one for it.
    clusters = merge_same_performer(
        found,
        candidates,
        max_distance=min(options.max_distance, 1 - MIN_CONFIDENCE),
    )
    permitted_candidates = permitted(candidates, shared(forbidden, clusters))
    return match_scene(
        ClusteredFaces([face.frame for face in faces], permitted_candidates, clusters),
        mode=options.mode,
        top_k=options.top_k,
        max_distance=options.max_distance,
        tagged=_tagged_rows(release, candidates, options.tagged),
        kept_count=kept_count,
    )


def corrected_scene_people(
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    near: Sequence[NearFaces],
    options: MatchingOptions,
    corrections: Corrections,
    *,
    kept_count: int = 0,
) -> list[SeenPerson]:
    """Return the people of a scene as its owner has corrected them."""
    return corrected_people(
        lambda faces, near, forbidden: scene_people(
            release, faces, near, options, kept_count=kept_count, forbidden=forbidden
        ),
        release,
        faces,
        near,
        corrections.one_each(),
        max_distance=options.max_distance,
    )


def match_gallery_faces(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    *,
    corrections: Corrections = NO_CORRECTIONS,
) -> MatchedFaces:
    """Return the people of a gallery whose pictures `frame` numbers."""
    if options.mode is MatchingMode.TEMPLATE:
        people = corrected_template_people(database, faces, options, corrections)
        return MatchedFaces(faces, NOT_LOOKED_UP, people, database, corrections)
    near = _near(database, faces, options)
    people = corrected_gallery_people(
        database.release, faces, near, options, corrections
    )
    return MatchedFaces(faces, near, people, database, corrections)


def people_in_gallery(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[SeenPerson]:
    """Return the people alone."""
    return match_gallery_faces(database, faces, options).people


def gallery_people(
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    near: Sequence[NearFaces],
    options: MatchingOptions,
    *,
    forbidden: Sequence[Set[int]] = (),
) -> list[SeenPerson]:
    """Return the people of a gallery whose near faces were found before.

    A gallery has one rule for the modes that judge each face alone, and each face its
    one best match.
    """
    clusters = _clusters(faces, options)
    frames = [face.frame for face in faces]
    candidates = candidates_among(
        without_forbidden(near, release, shared(forbidden, clusters)),
        release,
        max_candidates=1,
        max_distance=options.max_distance,
    )
    people = match_gallery(
        ClusteredFaces(frames, candidates, clusters),
        max_distance=options.max_distance,
    )
    return [one.as_person(frames) for one in people.performers] + people.unknown


def corrected_gallery_people(
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    near: Sequence[NearFaces],
    options: MatchingOptions,
    corrections: Corrections,
) -> list[SeenPerson]:
    """Return the people of a gallery as its owner has corrected them."""
    return corrected_people(
        lambda faces, near, forbidden: gallery_people(
            release, faces, near, options, forbidden=forbidden
        ),
        release,
        faces,
        near,
        corrections.one_each(),
        max_distance=options.max_distance,
    )


def match_image_faces(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    *,
    corrections: Corrections = NO_CORRECTIONS,
) -> MatchedFaces:
    """Return a person for each face, in their order; a picture may show one twice."""
    if options.mode is MatchingMode.TEMPLATE:
        people = corrected_template_image(database, faces, options, corrections)
        return MatchedFaces(faces, NOT_LOOKED_UP, people, database, corrections)
    near = _near(database, faces, options)
    people = corrected_image_people(database.release, faces, near, options, corrections)
    return MatchedFaces(faces, near, people, database, corrections)


def people_in_image(
    database: FaceDatabase, faces: Sequence[SeenFace], options: MatchingOptions
) -> list[SeenPerson]:
    """Return the people alone."""
    return match_image_faces(database, faces, options).people


def corrected_image_people(
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    near: Sequence[NearFaces],
    options: MatchingOptions,
    corrections: Corrections,
) -> list[SeenPerson]:
    """Return a person for each face of an image, as its owner has corrected them."""
    people = corrected_people(
        lambda _, near, forbidden: image_people(
            release, near, options, forbidden=forbidden
        ),
        release,
        faces,
        near,
        corrections.face_by_face(),
        max_distance=options.max_distance,
    )
    return sorted(people, key=lambda person: person.faces)


def image_people(
    release: PreparedRelease,
    near: Sequence[NearFaces],
    options: MatchingOptions,
    *,
    forbidden: Sequence[Set[int]] = (),
) -> list[SeenPerson]:
    """Return the people of an image whose near faces were found before."""
    candidates = candidates_among(
        without_forbidden(near, release, forbidden),
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
    rows = {candidate.performer for found in candidates for candidate in found}
    return tagged_among(release, rows, tagged)


def _of_one_face(candidate: Candidate) -> PersonCandidate:
    return PersonCandidate(
        performer=candidate.performer,
        distance=candidate.distance,
        facenet_distance=candidate.facenet_distance,
        arcface_distance=candidate.arcface_distance,
        confidence=candidate.confidence,
        frame_count=1,
    )
