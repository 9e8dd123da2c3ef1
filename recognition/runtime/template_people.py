"""People of a scene, gallery or picture by templates: two queries for each person."""

from collections.abc import Sequence, Set
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.calibration import Calibration
from recognition.numeric.clustering import Cluster
from recognition.numeric.fusion import FacePerformers, Neighbours
from recognition.numeric.grouping import can_be_one, group_faces
from recognition.numeric.people import SeenFace
from recognition.numeric.template_matching import ScoredPerson
from recognition.numeric.template_scoring import (
    NO_SCORES,
    EmbedderView,
    PerformerScores,
    candidate_performers,
    score_performers,
)
from recognition.numeric.templates import FaceVectors, face_vectors, template
from recognition.runtime.candidates import NEIGHBOUR_COUNT
from recognition.runtime.face_database import FaceDatabase

# A performer with more reference faces is judged by the first so many.
MOST_REFERENCES = 32

NOBODY_FORBIDDEN: Set[int] = frozenset()


def scored_people(
    database: FaceDatabase,
    faces: Sequence[SeenFace],
    *,
    join_similarity: float,
    calibration: Calibration,
    forbidden: Sequence[Set[int]] = (),
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
    matcher = _Matcher(database, vectors, forbidden)
    groups = group_faces(vectors, frames, join_similarity=join_similarity)
    scores = matcher.scores(groups)
    merged = _merged(groups, scores, frames, calibration.known_score)
    if len(merged) < len(groups):
        known = {tuple(group): each for group, each in zip(groups, scores, strict=True)}
        new = [group for group in merged if tuple(group) not in known]
        for group, each in zip(new, matcher.scores(new), strict=True):
            known[tuple(group)] = each
        groups, scores = merged, [known[tuple(group)] for group in merged]
    return [
        ScoredPerson(group, len({frames[face] for face in group}), each)
        for group, each in zip(groups, scores, strict=True)
    ]


class _Matcher:
    """The vectors of some faces, and the release they are compared with."""

    def __init__(
        self,
        database: FaceDatabase,
        vectors: FaceVectors,
        forbidden: Sequence[Set[int]],
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._forbidden = forbidden

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
            forbidden = self._forbidden_for(groups[place])
            scores[place] = self._score(templates, neighbours, forbidden)
        return scores

    def _templates(
        self, rows: Embeddings, groups: Sequence[Cluster], usable: list[int]
    ) -> Embeddings:
        weights = self._vectors.weights
        return np.stack(
            [template(rows[groups[each]], weights[groups[each]]) for each in usable]
        )

    def _forbidden_for(self, group: Cluster) -> Set[int]:
        if not self._forbidden:
            return NOBODY_FORBIDDEN
        return frozenset().union(*(self._forbidden[face] for face in group))

    def _score(
        self,
        templates: tuple[Embeddings, Embeddings],
        neighbours: tuple[Neighbours, Neighbours],
        forbidden: Set[int],
    ) -> PerformerScores:
        face_performers = self._database.release.face_performers
        candidates = candidate_performers(
            neighbours, face_performers, forbidden=forbidden
        )
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


def _merged(
    groups: list[Cluster],
    scores: list[PerformerScores],
    frames: Sequence[int],
    least_score: float,
) -> list[Cluster]:
    """Return the groups, those of one performer joined where no frame has both."""
    merged: list[Cluster] = []
    of_performer: dict[int, Cluster] = {}
    for group, each in zip(groups, scores, strict=True):
        if not len(each) or each.scores[0] < least_score:
            merged.append(group)
            continue
        performer = int(each.performers[0])
        first = of_performer.get(performer)
        if first is not None and can_be_one(first, group, frames):
            first.extend(group)
            continue
        joined = [*group]
        of_performer.setdefault(performer, joined)
        merged.append(joined)
    return [sorted(group) for group in merged]
