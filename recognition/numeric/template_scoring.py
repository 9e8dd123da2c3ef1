"""How far a person's template stands out for each performer, in both embedders.

A similarity alone says little: blurred templates are like nobody, plain faces like
many, and of a hundred thousand faces some are like anybody. So each is told beside a
cohort: the faces that are nearest to this very template behind those that may be its
performer's (Auckenthaler et al. 2000, Matejka et al. 2017). What is known of them, and
of how many there are in all, says how similar the faces of strangers get by chance.
A score is how much rarer than that a performer's similarity is: the negative logarithm
of the number of strangers in the index that are as similar.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import (
    ARCFACE_WEIGHT,
    FACENET_WEIGHT,
    FacePerformers,
    Neighbours,
)

# Of a template's neighbours so many may be of its performer; those beyond are cohort.
CANDIDATE_NEIGHBOURS = 20
# No more than one in so many neighbours is left out of the cohort.
SMALLEST_SHARE = 20
# Fewer say nothing of a spread, as in an index of a few performers.
LEAST_COHORT = 10
# What the faces of others are like where there is no cohort to tell: mean, deviation.
USUAL_COHORT = (0.10, 0.10)
# A cohort of near-equal faces must not make a hair's breadth of similarity a proof.
LEAST_DEVIATION = 0.05


@dataclass(frozen=True)
class PerformerScores:
    """Performers for one person, likeliest first, with what speaks for each.

    All arrays have a row for each performer. A score of 0 is what one stranger in the
    whole index reaches by chance, each further one is e times as rare. Distances are
    cosine distances of the template to the performer's reference faces.
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

    def without(self, performers: Set[int]) -> "PerformerScores":
        """Return the scores of all others."""
        if not performers:
            return self
        kept = ~np.isin(self.performers, [*performers])
        return PerformerScores(
            self.performers[kept],
            self.scores[kept],
            self.facenet_distances[kept],
            self.arcface_distances[kept],
        )

    def margin(self, place: int) -> float | None:
        """Return by how much a performer's score leads the best of the others."""
        others = np.delete(self.scores, place)
        return float(self.scores[place] - others.max()) if others.size else None


NO_SCORES = PerformerScores(
    np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0)
)


def candidate_performers(
    neighbours: Sequence[Neighbours], face_performers: FacePerformers
) -> NDArray[np.int64]:
    """Return the performers among each embedder's nearest faces, by row."""
    found = [
        _performers(one, face_performers)[:CANDIDATE_NEIGHBOURS] for one in neighbours
    ]
    rows = np.unique(np.concatenate(found))
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
    # In deviations of all the faces of others.
    apart = np.zeros(len(candidates))
    distances = []
    for view, weight in ((facenet, FACENET_WEIGHT), (arcface, ARCFACE_WEIGHT)):
        each = view.references.astype(np.float64) @ view.template.astype(np.float64)
        averages = np.add.reduceat(each, starts) / reference_counts
        similarities = (np.maximum.reduceat(each, starts) + averages) / 2
        means, deviations = _others(view.neighbours, candidates, face_performers)
        apart += weight * (similarities - means) / deviations
        distances.append(1 - similarities)
    scores = -(np.log(len(face_performers)) + log_ndtr(-apart))
    # Of two equal scores the lower row first: an answer can be repeated.
    order = np.argsort(-scores, kind="stable")
    return PerformerScores(
        candidates[order], scores[order], distances[0][order], distances[1][order]
    )


def _others(
    neighbours: Neighbours, candidates: NDArray[np.int64], performers: FacePerformers
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of the similarities of all other faces of the index.

    They are read off the cohort of each candidate: the neighbours beyond the first, but
    for the candidate's own faces. A normal distribution says how similar the hundredth
    of so many is; a line through what is, and what would be with mean 0 and deviation
    1, gives both. It holds in an index of forty faces as of a million.
    """
    similarities = 1 - np.asarray(neighbours.distances, np.float64)
    is_other = _performers(neighbours, performers) != candidates[:, None]
    is_other &= np.isfinite(similarities)
    similarities = np.nan_to_num(similarities)
    ranks = is_other.cumsum(axis=1) - 0.5
    expected = -ndtri(np.clip(ranks / len(performers), 1e-12, 1 - 1e-9))
    # Of a small index the first are too many of all that there is.
    first = min(CANDIDATE_NEIGHBOURS, len(performers) // SMALLEST_SHARE)
    counts_in = is_other & (ranks > first)
    count = np.maximum(counts_in.sum(axis=1), 1)
    mean_x = (counts_in * expected).sum(axis=1) / count
    mean_y = counts_in @ similarities / count
    off_x = counts_in * (expected - mean_x[:, None])
    together = off_x @ similarities / count
    spread = (off_x * expected).sum(axis=1) / count
    slopes = np.maximum(together / np.maximum(spread, 1e-12), LEAST_DEVIATION)
    is_told = count >= LEAST_COHORT
    usual_mean, usual_deviation = USUAL_COHORT
    return (
        np.where(is_told, mean_y - slopes * mean_x, usual_mean),
        np.where(is_told, slopes, usual_deviation),
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
