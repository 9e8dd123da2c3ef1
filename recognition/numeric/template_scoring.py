"""How far a person's template stands out for each performer, in both embedders.

A similarity alone says little: blurred templates are like nobody, plain faces like
many. So each is told beside a cohort: the faces that are nearest to this very template
behind those that may be its performer's. A score counts how many deviations of the
cohort a performer stands above it (T-norm with a cohort of the probe's own:
Auckenthaler et al. 2000, Matejka et al. 2017).
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import (
    ARCFACE_WEIGHT,
    FACENET_WEIGHT,
    FacePerformers,
    Neighbours,
)

# Of a template's neighbours so many may be of its performer; those beyond are cohort.
CANDIDATE_NEIGHBOURS = 20
# Fewer say nothing of a spread, as in an index of a few performers.
LEAST_COHORT = 10
# What strangers' faces are like where there is no cohort to tell: mean and deviation.
USUAL_COHORT = (0.20, 0.08)
# A cohort of near-equal faces must not make a hair's breadth of similarity a proof.
LEAST_DEVIATION = 0.01


@dataclass(frozen=True)
class PerformerScores:
    """Performers for one person, likeliest first, with what speaks for each.

    All arrays have a row for each performer. `scores` are in deviations of the cohort;
    distances are cosine distances of the template to the performer's reference faces.
    """

    performers: NDArray[np.int64]
    scores: NDArray[np.float64]
    facenet_distances: NDArray[np.float64]
    arcface_distances: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.performers)

    @property
    def distances(self) -> NDArray[np.float64]:
        """Both embedders' distances fused."""
        fused: NDArray[np.float64] = (
            FACENET_WEIGHT * self.facenet_distances
            + ARCFACE_WEIGHT * self.arcface_distances
        )
        return fused

    def margin(self, place: int) -> float:
        """Return by how much a performer's score leads the best of the others."""
        others = np.delete(self.scores, place)
        return float(self.scores[place] - others.max()) if others.size else np.inf


NO_SCORES = PerformerScores(
    np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0)
)


def candidate_performers(
    neighbours: Sequence[Neighbours],
    face_performers: FacePerformers,
    *,
    forbidden: Set[int] = frozenset(),
) -> NDArray[np.int64]:
    """Return the performers among each embedder's nearest faces, by row."""
    found = [
        _performers(one, face_performers)[:CANDIDATE_NEIGHBOURS] for one in neighbours
    ]
    rows = np.unique(np.concatenate(found))
    if forbidden:
        rows = rows[~np.isin(rows, [*forbidden])]
    return rows[rows >= 0]


@dataclass(frozen=True)
class EmbedderView:
    """What one embedder sees of a template: its neighbours, and candidates' faces.

    `references` are the unit vectors of all reference faces of all candidates, in the
    candidates' order.
    """

    template: Embeddings
    neighbours: Neighbours
    references: Embeddings


def score_performers(
    candidates: NDArray[np.int64],
    reference_counts: NDArray[np.int64],
    *,
    facenet: EmbedderView,
    arcface: EmbedderView,
    face_performers: FacePerformers,
) -> PerformerScores:
    """Return the candidates' scores; `reference_counts` says how many faces each has.

    A performer is judged by the mean of two similarities: that of their most similar
    face, and that of all their faces on average, so that one lucky picture does not
    decide, nor one that shows somebody else.
    """
    if not len(candidates):
        return NO_SCORES
    starts = np.concatenate([[0], np.cumsum(reference_counts)[:-1]])
    scores = np.zeros(len(candidates))
    distances = []
    for view, weight in ((facenet, FACENET_WEIGHT), (arcface, ARCFACE_WEIGHT)):
        each = view.references.astype(np.float64) @ view.template.astype(np.float64)
        averages = np.add.reduceat(each, starts) / reference_counts
        similarities = (np.maximum.reduceat(each, starts) + averages) / 2
        means, deviations = _cohorts(view.neighbours, candidates, face_performers)
        scores += weight * (similarities - means) / deviations
        distances.append(1 - similarities)
    # Of two equal scores the lower row first: an answer can be repeated.
    order = np.argsort(-scores, kind="stable")
    return PerformerScores(
        candidates[order], scores[order], distances[0][order], distances[1][order]
    )


def _cohorts(
    neighbours: Neighbours, candidates: NDArray[np.int64], performers: FacePerformers
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of the similarity of each candidate's cohort.

    That is every neighbour beyond the first, but for the candidate's own faces: in a
    small index most performers are candidates, and the others the least alike of all.
    """
    behind = slice(CANDIDATE_NEIGHBOURS, None)
    similarities = 1 - np.asarray(neighbours.distances, np.float64)[behind]
    owners = _performers(neighbours, performers)[behind]
    counts_in = (owners != candidates[:, None]) & np.isfinite(similarities)
    similarities = np.nan_to_num(similarities)
    count = np.maximum(counts_in.sum(axis=1), 1)
    means = counts_in @ similarities / count
    variances = counts_in @ similarities**2 / count - means**2
    deviations = np.maximum(np.sqrt(np.maximum(variances, 0)), LEAST_DEVIATION)
    is_told = count >= LEAST_COHORT
    usual_mean, usual_deviation = USUAL_COHORT
    return (
        np.where(is_told, means, usual_mean),
        np.where(is_told, deviations, usual_deviation),
    )


def _performers(
    neighbours: Neighbours, face_performers: FacePerformers
) -> NDArray[np.int64]:
    """Return whose each neighbour is; -1 for nobody, and beyond the table."""
    faces = np.asarray(neighbours.faces, dtype=np.int64)
    is_known = (faces >= 0) & (faces < len(face_performers))
    performers = np.full(len(faces), -1, dtype=np.int64)
    performers[is_known] = face_performers[faces[is_known]]
    return performers
