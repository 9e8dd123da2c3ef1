"""How good names are, as far as the truth is known: shares, curves, other thresholds.

An item is a scene, an image or a gallery; a case is the performer whom a person of it
is taken for, or may be, and whether that is right. Nothing here knows where truth comes
from.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from recognition.numeric.calibration import Calibration, calibration_error, fit_curve

# Two-sided 95 %.
_NORMAL_QUANTILE = 1.959964
_UPPER_QUANTILE = 0.975
BOOTSTRAP_ROUNDS = 1000
RELIABILITY_BINS = 15
HISTOGRAM_BINS = 24
QUALITY_GROUPS = ("poor", "middling", "good")
TABLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """The performer a person of an item is taken for, or only may be.

    `score` decides, `probability` is the confidence that is told. An item has one case
    for each performer at most.
    """

    item: int
    score: float
    is_right: bool
    is_named: bool
    probability: float
    distance: float
    quality: float
    source: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something whose people are tagged: how many of them the release knows."""

    source: str
    tagged_count: int
    is_scene: bool


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with Wilson's interval; a share of nothing has no value."""

    count: int
    total: int
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over items, with the interval that resampling the items gives."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of the items: `uncertain_count` were proposed and are no names."""

    recall: Share
    precision: Share
    false_names_per_scene: Mean | None
    uncertain_count: int
    item_count: int


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """What would be named from another score on, beside what is named now."""

    threshold: float
    named_count: int
    gained_count: int
    lost_count: int
    precision: Share
    recall: Share
    false_names_per_scene: float


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """A threshold and what it did: `highest_rate` bounds the wrong names an item.

    That is the upper end of the 95 % interval of a Poisson rate, for no wrong name in
    few items tells little.
    """

    threshold: float
    wrong_count: int
    named_count: int
    item_count: int
    highest_rate: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Cases of about one probability, and the share of them that were right."""

    mean_probability: float
    right: Share


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many right and wrong cases lie between each two edges."""

    edges: tuple[float, ...]
    right: tuple[int, ...]
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Names of one quality or source; recall only where it is known of a group."""

    label: str
    precision: Share
    recall: Share | None = None


def wilson_share(count: int, total: int) -> Share:
    """Return the share with Wilson's 95 % interval; 0 to 1 for a share of nothing."""
    if total <= 0:
        return Share(0, 0, None, 0.0, 1.0)
    share, z2 = count / total, _NORMAL_QUANTILE**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = (share * (1 - share) + z2 / (4 * total)) / total
    half = _NORMAL_QUANTILE * math.sqrt(spread) / (1 + z2 / total)
    return Share(count, total, share, max(middle - half, 0), min(middle + half, 1))


def bootstrap_mean(values: Sequence[float], *, seed: int) -> Mean | None:
    """Return the mean and the middle 95 % of the means of resampled values.

    None without values.
    """
    if not len(values):
        return None
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = [
        float(rng.choice(array, len(array)).mean()) for _ in range(BOOTSTRAP_ROUNDS)
    ]
    low, high = np.quantile(means, [1 - _UPPER_QUANTILE, _UPPER_QUANTILE])
    return Mean(float(array.mean()), float(low), float(high))


def highest_poisson_rate(count: int, total: int) -> float:
    """Return the rate above which so few are seen among so many once in 40 times."""
    return float(gammaincinv(count + 1, _UPPER_QUANTILE)) / total


def figures(cases: Sequence[Case], items: Sequence[Item], *, seed: int) -> Figures:
    """Return what was named rightly and wrongly; `items` are by their number."""
    named = [case for case in cases if case.is_named]
    return Figures(
        recall=_recall(named, items),
        precision=_precision(named),
        false_names_per_scene=bootstrap_mean(_wrong_by_scene(named, items), seed=seed),
        uncertain_count=len(cases) - len(named),
        item_count=len(items),
    )


def precision_recall(
    cases: Sequence[Case], items: Sequence[Item]
) -> list[tuple[float, float, float]]:
    """Return (score, precision, recall) for names from each score on, highest first."""
    tagged_count = sum(item.tagged_count for item in items)
    if not cases or not tagged_count:
        return []
    scores, is_right = _columns(cases)
    order = np.argsort(-scores, kind="stable")
    scores, right = scores[order], np.cumsum(is_right[order])
    # Equal scores are named together or not at all.
    last = np.append(scores[1:] != scores[:-1], True)
    named = np.arange(1, len(scores) + 1)
    return [
        (float(score), float(share), float(found))
        for score, share, found in zip(
            scores[last],
            right[last] / named[last],
            right[last] / tagged_count,
            strict=True,
        )
    ]


def reliability(cases: Sequence[Case]) -> list[ReliabilityBin]:
    """Return the bins of equal width that hold a case, from the least probable on."""
    bins: dict[int, list[Case]] = {}
    for case in cases:
        place = min(int(case.probability * RELIABILITY_BINS), RELIABILITY_BINS - 1)
        bins.setdefault(place, []).append(case)
    return [
        ReliabilityBin(
            mean_probability=math.fsum(case.probability for case in held) / len(held),
            right=_precision(held),
        )
        for _, held in sorted(bins.items())
    ]


def told_error(cases: Sequence[Case]) -> float:
    """Return the expected calibration error of the confidence that is told now."""
    return calibration_error(
        [case.probability for case in cases],
        [case.is_right for case in cases],
        bins=RELIABILITY_BINS,
    )


def cross_validated_error(cases: Sequence[Case]) -> float | None:
    """Return the calibration error of curves on the half they were not fitted to.

    Items are halved by number, each half tried with the other's curve. None where a
    half has no case.
    """
    halves = [[case for case in cases if case.item % 2 == half] for half in (0, 1)]
    if not all(halves):
        return None
    told: list[float] = []
    for fitted, tried in (halves, halves[::-1]):
        curve = fitted_calibration(fitted, known_score=0.0, uncertain_score=0.0)
        told += [curve.probability(case.score) for case in tried]
    is_right = [case.is_right for half in halves[::-1] for case in half]
    return calibration_error(told, is_right, bins=RELIABILITY_BINS)


def fitted_calibration(
    cases: Sequence[Case], *, known_score: float, uncertain_score: float
) -> Calibration:
    """Return the curve nearest to the cases; ValueError where there are none."""
    scores, is_right = _columns(cases)
    return Calibration(
        *fit_curve(scores, is_right),
        known_score=known_score,
        uncertain_score=uncertain_score,
    )


def distances(cases: Sequence[Case]) -> Histogram:
    """Return how far right and wrong performers are."""
    values = np.array([case.distance for case in cases])
    is_right = np.array([case.is_right for case in cases], dtype=bool)
    span = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    edges = np.histogram_bin_edges(values, HISTOGRAM_BINS, span)
    right, wrong = (
        np.histogram(values[chosen], edges)[0] for chosen in (is_right, ~is_right)
    )
    return Histogram(
        tuple(edges.tolist()), tuple(right.tolist()), tuple(wrong.tolist())
    )


def by_quality(cases: Sequence[Case]) -> list[Group]:
    """Return the precision of names in three groups of as many, the poorest first."""
    named = sorted(
        (case for case in cases if case.is_named), key=lambda case: case.quality
    )
    bounds = [round(len(named) * part / len(QUALITY_GROUPS)) for part in range(4)]
    return [
        Group(label, _precision(named[start:end]))
        for label, start, end in zip(QUALITY_GROUPS, bounds, bounds[1:], strict=False)
    ]


def by_source(cases: Sequence[Case], items: Sequence[Item]) -> list[Group]:
    """Return precision and recall for stream, sprites, images and galleries."""
    named = [case for case in cases if case.is_named]
    return [
        Group(
            source,
            _precision([case for case in named if case.source == source]),
            _recall(
                [case for case in named if case.source == source],
                [item for item in items if item.source == source],
            ),
        )
        for source in sorted({item.source for item in items})
    ]


def threshold_table(cases: Sequence[Case], items: Sequence[Item]) -> list[ThresholdRow]:
    """Return what other thresholds would change, at scores spread over the cases."""
    if not cases:
        return []
    scores, _ = _columns(cases)
    thresholds = np.unique(np.quantile(scores, np.linspace(0, 0.9, TABLE_ROWS)))
    return [_threshold_row(cases, items, float(one)) for one in thresholds]


def smallest_threshold(
    cases: Sequence[Case],
    items: Sequence[Item],
    *,
    wrong_names: int,
    per_scenes: int,
) -> ThresholdChoice | None:
    """Return the least threshold with no more wrong names than so many in N scenes.

    Counted over scenes, or over all items where there is none. None where it would
    name nobody.
    """
    is_counted = _counted(items)
    item_count = sum(is_counted)
    counted = [case for case in cases if is_counted[case.item]]
    allowed = int(item_count * wrong_names / per_scenes)
    wrong = sorted((case.score for case in counted if not case.is_right), reverse=True)
    refused = wrong[allowed] if len(wrong) > allowed else -math.inf
    kept = [case for case in counted if case.score > refused]
    if not kept:
        return None
    wrong_count = sum(not case.is_right for case in kept)
    return ThresholdChoice(
        threshold=min(case.score for case in kept),
        wrong_count=wrong_count,
        named_count=len(kept),
        item_count=item_count,
        highest_rate=highest_poisson_rate(wrong_count, item_count),
    )


def strongly_disputed(cases: Sequence[Case]) -> set[int]:
    """Return the items with a wrong name that is surer than half of the right ones.

    There the tags are as likely at fault as the name.
    """
    right = [case.score for case in cases if case.is_named and case.is_right]
    if not right:
        return set()
    middle = float(np.median(right))
    return {
        case.item
        for case in cases
        if case.is_named and not case.is_right and case.score >= middle
    }


def _threshold_row(
    cases: Sequence[Case], items: Sequence[Item], threshold: float
) -> ThresholdRow:
    named = [case for case in cases if case.score >= threshold]
    wrong = _wrong_by_scene(named, items)
    return ThresholdRow(
        threshold=threshold,
        named_count=len(named),
        gained_count=sum(not case.is_named for case in named),
        lost_count=_count(cases, lambda one: one.is_named and one.score < threshold),
        precision=_precision(named),
        recall=_recall(named, items),
        false_names_per_scene=math.fsum(wrong) / max(len(wrong), 1),
    )


def _counted(items: Sequence[Item]) -> list[bool]:
    """Return which items names are counted by: the scenes, or all where none is."""
    has_scenes = any(item.is_scene for item in items)
    return [item.is_scene or not has_scenes for item in items]


def _wrong_by_scene(named: Iterable[Case], items: Sequence[Item]) -> list[int]:
    wrong = [0] * len(items)
    for case in named:
        wrong[case.item] += not case.is_right
    return [count for count, is_in in zip(wrong, _counted(items), strict=True) if is_in]


def _precision(named: Sequence[Case]) -> Share:
    return wilson_share(_count(named, lambda case: case.is_right), len(named))


def _recall(named: Sequence[Case], items: Iterable[Item]) -> Share:
    tagged_count = sum(item.tagged_count for item in items)
    return wilson_share(_count(named, lambda case: case.is_right), tagged_count)


def _count(cases: Iterable[Case], is_meant: Callable[[Case], bool]) -> int:
    return sum(map(is_meant, cases))


def _columns(
    cases: Sequence[Case],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    scores = np.array([case.score for case in cases], dtype=np.float64)
    return scores, np.array([case.is_right for case in cases], dtype=bool)
