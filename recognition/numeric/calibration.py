"""From a score to the probability that a name is right, and the names that are given.

A calibration is a rising curve, fitted to scores whose names are known to be right or
wrong. Names are given from one score on; performers are proposed from another.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

# Nothing is certain: who was right in all of n cases is right with (n + 1) / (n + 2),
# by Laplace's rule of succession.
_PRIOR_CASES = 2.0
# Points of a fitted curve; more tell nothing that can be seen.
MAX_POINTS = 64


@dataclass(frozen=True)
class Calibration:
    """A curve of probability over score, and the scores that decide.

    `scores` ascend and `probabilities` do not fall; between them is interpolated,
    outside the nearest holds. From `known_score` on a person is named, from
    `uncertain_score` on performers are proposed.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    known_score: float
    uncertain_score: float

    def __post_init__(self) -> None:
        if not self.scores or len(self.scores) != len(self.probabilities):
            raise ValueError("A curve has as many scores as probabilities, one or more")
        numbers = (*self.scores, *self.probabilities)
        if not all(map(math.isfinite, numbers)):
            raise ValueError("A curve is made of finite numbers")
        if any(a >= b for a, b in zip(self.scores, self.scores[1:], strict=False)):
            raise ValueError("The scores of a curve ascend")
        steps = zip(self.probabilities, self.probabilities[1:], strict=False)
        if any(a > b for a, b in steps):
            raise ValueError("The probabilities of a curve do not fall")
        if not (self.probabilities[0] >= 0 and self.probabilities[-1] <= 1):
            raise ValueError("A probability is from 0 to 1")
        if not self.uncertain_score <= self.known_score:
            raise ValueError("Who is named is proposed, too")

    def probability(self, score: float) -> float:
        """Return how likely a name of this score is right, 0 to 1."""
        return float(np.interp(score, self.scores, self.probabilities))


# Of mode template, until a library has its own: fitted to the first candidates of
# 1,400 made scenes, half of each world of benchmarks/open_set.py (--fit --scenes 700),
# read off where it bends. Proposed is who is as similar as one stranger of the whole
# index by chance, named who is twenty times as rare: in an index of eight performers,
# too, where those worlds' stranger in a hundred would be at -2.
SHIPPED_CALIBRATION = Calibration(
    scores=(-7.9, -4.5, -3.8, -3.4, -2.7, -2.1, -1.8, -1.2, -0.4, 0.0, 1.0, 4.0),
    probabilities=(
        *(0.0003, 0.01, 0.03, 0.12, 0.22, 0.4),
        *(0.57, 0.68, 0.88, 0.97, 0.995, 0.9997),
    ),
    known_score=3.0,
    uncertain_score=0.0,
)


def fit_curve(
    scores: ArrayLike, is_right: ArrayLike
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the scores and probabilities of the rising curve nearest to the cases.

    Isotonic regression, each step drawn towards one half by as much as its few cases
    leave open, level from the first to the last of its cases. ValueError without cases.
    """
    values = np.asarray(scores, dtype=np.float64)
    outcomes = np.asarray(is_right, dtype=np.float64)
    if not values.size or values.shape != outcomes.shape:
        raise ValueError("A curve is fitted to scores with an outcome each")
    order = np.argsort(values, kind="stable")
    values, outcomes = values[order], outcomes[order]
    fitted = isotonic_regression(outcomes)
    bounds = np.append(fitted.blocks[:-1], len(values))
    counts = np.diff(bounds)
    right = np.add.reduceat(outcomes, bounds[:-1])
    probabilities = np.maximum.accumulate(
        (right + _PRIOR_CASES / 2) / (counts + _PRIOR_CASES)
    )
    ends = np.column_stack([values[bounds[:-1]], values[bounds[1:] - 1]])
    return _thinned(ends.ravel(), np.repeat(probabilities, 2))


def calibration_error(
    probabilities: ArrayLike, is_right: ArrayLike, *, bins: int = 15
) -> float:
    """Return the expected calibration error: mean |probability - share right|.

    Over bins of equal width, weighted by their cases (Guo et al. 2017).
    """
    told = np.asarray(probabilities, dtype=np.float64)
    outcomes = np.asarray(is_right, dtype=np.float64)
    if not told.size:
        return 0.0
    bin_of = np.minimum((told * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, told, bins) - np.bincount(bin_of, outcomes, bins)
    return float(np.abs(gaps).sum() / told.size)


def _thinned(
    scores: NDArray[np.float64], probabilities: NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the curve with distinct scores and at most MAX_POINTS of them."""
    _, firsts = np.unique(scores, return_index=True)
    scores, probabilities = scores[firsts], probabilities[firsts]
    if len(scores) > MAX_POINTS:
        kept = np.unique(
            np.linspace(0, len(scores) - 1, MAX_POINTS).round().astype(int)
        )
        scores, probabilities = scores[kept], probabilities[kept]
    return tuple(scores.tolist()), tuple(probabilities.tolist())
