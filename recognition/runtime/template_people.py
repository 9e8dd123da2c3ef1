"""People of a scene, gallery or picture by templates: two queries for each person."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.clustering import Cluster
from recognition.numeric.corrections import Corrections
from recognition.numeric.fusion import FacePerformers, Neighbours
from recognition.numeric.grouping import (
    ABSORB_SIMILARITY,
    JOIN_SIMILARITY,
    can_be_one,
    group_faces,
)
from recognition.numeric.near_faces import NearFaces
from recognition.numeric.people import SeenFace, SeenPerson
from recognition.numeric.template_matching import ScoredPerson, decide
from recognition.numeric.template_scoring import (
    NO_SCORES,
    EmbedderView,
    PerformerScores,
    candidate_performers,
    score_performers,
)
from recognition.numeric.templates import FaceVectors, face_vectors, template
from recognition.runtime.candidates import NEIGHBOUR_COUNT
from recognition.runtime.corrected import Matching, corrected_people
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.matching_options import MatchingOptions, tagged_among

# A performer with more reference faces is judged by the first so many.
MOST_REFERENCES = 32

# For each face the performers it must not be taken for.
Forbidden: TypeAlias = Sequence[Set[int]]
NOBODY_FORBIDDEN: Set[int] = frozenset()

# Templates are looked up, not faces.
NOTHING_NEAR = NearFaces(
    faces=np.empty(0, np.int64),
    facenet_distances=np.empty(0, np.float32),
    arcface_distances=np.empty(0, np.float32),
    nearest_facenet=np.empty(0, np.float32),
    nearest_arcface=np.empty(0, np.float32),
    facenet_cut=np.inf,
    arcface_cut=np.inf,
)


def corrected_template_people(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    corrections: Corrections,
    *,
    kept_count: int = 0,
) -> list[SeenPerson]:
    """Return the people of a scene or gallery, each judged as a whole; see `decide`.

    They are as their owner has corrected them. `max_distance` is of the other modes:
    here the calibrated score decides.
    """

    def match(
        faces: Sequence[SeenFace], _: Sequence[NearFaces], forbidden: Forbidden
    ) -> list[SeenPerson]:
        people = scored_people(database, faces, options, forbidden=forbidden)
        rows = {int(row) for person in people for row in person.scores.performers}
        return decide(
            people,
            options.calibration,
            top_k=options.top_k,
            tagged=tagged_among(database.release, rows, options.tagged),
            kept_count=kept_count,
        )

    return _corrected(match, database, faces, options, corrections.one_each())


def corrected_template_image(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    corrections: Corrections,
) -> list[SeenPerson]:
    """Return a person for each face of an image, as its owner has corrected them.

    All faces are of one frame, and so no two of them one person; each is decided alone,
    for a collage shows somebody more than once.
    """

    def match(
        faces: Sequence[SeenFace], _: Sequence[NearFaces], forbidden: Forbidden
    ) -> list[SeenPerson]:
        return [
            person
            for each in scored_people(database, faces, options, forbidden=forbidden)
            for person in decide([each], options.calibration, top_k=options.top_k)
        ]

    people = _corrected(match, database, faces, options, corrections.face_by_face())
    return sorted(people, key=lambda person: person.faces)


def _corrected(
    match: Matching,
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    corrections: Corrections,
) -> list[SeenPerson]:
    return corrected_people(
        match,
        database.release,
        faces,
        [NOTHING_NEAR] * len(faces),
        corrections,
        max_distance=options.max_distance,
    )


def scored_people(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    options: MatchingOptions,
    *,
    forbidden: Forbidden = (),
) -> list[ScoredPerson]:
    """Return the people the faces show, with scores of the performers they may be.

    `forbidden` are performers that each face must not be taken for, by row. Two groups
    that are best explained by one performer are one person, unless they were seen in
    one frame.
    """
    if not faces:
        return []
    frames = [face.frame for face in faces]
    vectors = face_vectors(faces)
    matcher = _Matcher(database, vectors)
    threshold = options.cluster_threshold
    groups = group_faces(
        vectors,
        frames,
        join_similarity=JOIN_SIMILARITY if threshold is None else 1 - threshold,
    )
    scores = matcher.scores(groups)
    merged = _Joining(vectors, frames, forbidden).joined(
        groups, scores, least_score=options.calibration.known_score
    )
    if len(merged) < len(groups):
        known = {tuple(group): each for group, each in zip(groups, scores, strict=True)}
        new = [group for group in merged if tuple(group) not in known]
        for group, each in zip(new, matcher.scores(new), strict=True):
            known[tuple(group)] = each
        groups, scores = merged, [known[tuple(group)] for group in merged]
    return [
        ScoredPerson(
            group,
            len({frames[face] for face in group}),
            each.without(_forbidden_for(group, forbidden)),
        )
        for group, each in zip(groups, scores, strict=True)
    ]


def _forbidden_for(group: Cluster, forbidden: Forbidden) -> Set[int]:
    """Return whom a person may not be: who is forbidden for any face of theirs."""
    if not forbidden:
        return NOBODY_FORBIDDEN
    return frozenset().union(*(forbidden[face] for face in group))


class _Matcher:
    """The vectors of some faces, and the release they are compared with."""

    def __init__(
        self,
        database: FaceDatabase,
        vectors: FaceVectors,
    ) -> None:
        self._database = database
        self._vectors = vectors

    def scores(self, groups: Sequence[Cluster]) -> list[PerformerScores]:
        """Return the scores of each group; none for one without any weight."""
        usable = [
            place
            for place, group in enumerate(groups)
            if self._vectors.weights[group].sum() > 0
        ]
        scores = [NO_SCORES] * len(groups)
        if not usable:
            return scores
        facenet = self._templates(self._vectors.facenet, groups, usable)
        arcface = self._templates(self._vectors.arcface, groups, usable)
        found = zip(
            usable,
            zip(facenet, arcface, strict=True),
            zip(
                self._database.facenet.nearest(facenet, k=NEIGHBOUR_COUNT),
                self._database.arcface.nearest(arcface, k=NEIGHBOUR_COUNT),
                strict=True,
            ),
            strict=True,
        )
        for place, templates, neighbours in found:
            scores[place] = self._score(templates, neighbours)
        return scores

    def _templates(
        self, rows: Embeddings, groups: Sequence[Cluster], usable: list[int]
    ) -> Embeddings:
        weights = self._vectors.weights
        return np.stack(
            [template(rows[groups[each]], weights[groups[each]]) for each in usable]
        )

    def _score(
        self,
        templates: tuple[Embeddings, Embeddings],
        neighbours: tuple[Neighbours, Neighbours],
    ) -> PerformerScores:
        face_performers = self._database.release.face_performers
        candidates = candidate_performers(neighbours, face_performers)
        if not len(candidates):
            return NO_SCORES
        rows, counts = reference_faces(self._database).of(candidates)
        return score_performers(
            candidates,
            counts,
            facenet=EmbedderView(
                templates[0], neighbours[0], self._database.facenet.vectors(rows)
            ),
            arcface=EmbedderView(
                templates[1], neighbours[1], self._database.arcface.vectors(rows)
            ),
            face_performers=face_performers,
        )


class ReferenceFaces:
    """The rows of each performer's faces."""

    def __init__(self, face_performers: FacePerformers) -> None:
        self._order = np.argsort(face_performers, kind="stable").astype(np.int64)
        self._performers = face_performers[self._order]

    def of(
        self, performers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of the performers' faces, one after another, and how many.

        Of each as many as are looked at.
        """
        starts = np.searchsorted(self._performers, performers)
        ends = np.searchsorted(self._performers, performers, side="right")
        counts = np.minimum(ends - starts, MOST_REFERENCES)
        # Each start repeated, and counted on from.
        firsts = np.cumsum(counts) - counts
        places = np.arange(counts.sum()) + np.repeat(starts - firsts, counts)
        return self._order[places], counts


_references: WeakKeyDictionary[FaceDatabase, ReferenceFaces] = WeakKeyDictionary()
_references_lock = Lock()


def reference_faces(database: FaceDatabase) -> ReferenceFaces:
    """Return the faces of a release by performer; sorted once for each release."""
    with _references_lock:
        known = _references.get(database)
        if known is None:
            known = ReferenceFaces(np.asarray(database.release.face_performers))
            _references[database] = known
        return known


@dataclass(frozen=True)
class _Joining:
    """Joins groups that are best explained by one performer."""

    vectors: FaceVectors
    frames: Sequence[int]
    forbidden: Forbidden

    def joined(
        self,
        groups: list[Cluster],
        scores: list[PerformerScores],
        *,
        least_score: float,
    ) -> list[Cluster]:
        """Return the groups, those of one performer joined where no frame has both.

        Where the performer is forbidden for one of two, they are one person only if
        they look like one: the other may be the performer, and the first a look-alike.
        """
        apart: list[Cluster] = []
        firsts: dict[int, list[Cluster]] = {}
        for group, each in zip(groups, scores, strict=True):
            if not len(each) or each.scores[0] < least_score:
                apart.append(group)
                continue
            performer = int(each.performers[0])
            of_performer = firsts.setdefault(performer, [])
            first = self._first_fitting(group, of_performer, performer)
            if first is None:
                of_performer.append([*group])
            else:
                first += group
        joined = [group for groups in firsts.values() for group in groups]
        return sorted(sorted(group) for group in apart + joined)

    def _first_fitting(
        self, group: Cluster, others: list[Cluster], performer: int
    ) -> Cluster | None:
        is_forbidden = performer in _forbidden_for(group, self.forbidden)
        for other in others:
            if not can_be_one(other, group, self.frames):
                continue
            agrees = is_forbidden == (
                performer in _forbidden_for(other, self.forbidden)
            )
            if agrees or self._likeness(group, other) >= ABSORB_SIMILARITY:
                return other
        return None

    def _likeness(self, one: Cluster, other: Cluster) -> float:
        weights = self.vectors.weights
        cosines = [
            template(rows[one], weights[one]) @ template(rows[other], weights[other])
            for rows in (self.vectors.facenet, self.vectors.arcface)
        ]
        return float(np.mean(cosines))
