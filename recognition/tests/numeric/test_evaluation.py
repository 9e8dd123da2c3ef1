"""Shares, curves and thresholds of names whose truth is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recognition.numeric import evaluation
from recognition.numeric.evaluation import Case, Item

SCENE = Item("stream", tagged_count=1, is_scene=True)


def case(score, is_right, *, item=0, is_named=True, quality=0.5, source="stream"):
    return Case(
        item=item,
        score=score,
        is_right=is_right,
        is_named=is_named,
        probability=score,
        distance=1 - score,
        quality=quality,
        source=source,
    )


def test_wilsons_interval_is_that_of_the_literature():
    """Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29."""
    for count, total, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        share = evaluation.wilson_share(count, total)
        assert_allclose((share.low, share.high), (low, high), atol=6e-5)


def test_a_share_of_nothing_has_no_value_and_may_be_anything():
    share = evaluation.wilson_share(0, 0)

    assert (share.value, share.low, share.high) == (None, 0.0, 1.0)


def test_wilsons_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    counts = rng.binomial(60, 0.9, 2000)
    held = [
        share.low <= 0.9 <= share.high
        for share in (evaluation.wilson_share(int(count), 60) for count in counts)
    ]

    assert 0.93 < np.mean(held) < 0.98


def test_the_bootstrap_is_the_same_each_time_and_holds_the_mean():
    values = np.random.default_rng(1).poisson(0.3, 200).tolist()

    first = evaluation.bootstrap_mean(values, seed=4)

    assert first == evaluation.bootstrap_mean(values, seed=4)
    assert first is not None
    assert first.low < first.value < first.high
    # The standard error of a mean of 200 such counts is about 0.04.
    assert_allclose((first.high - first.low) / 4, np.std(values) / 200**0.5, rtol=0.1)
    assert evaluation.bootstrap_mean([], seed=4) is None


def test_the_bound_of_no_wrong_name_is_the_rule_of_three_and_a_bit():
    assert_allclose(evaluation.highest_poisson_rate(0, 100), 0.0369, atol=1e-4)


def test_uncertain_proposals_are_in_no_share():
    cases = [case(0.9, True), case(0.8, False), case(0.7, False, is_named=False)]

    figures = evaluation.figures(cases, [SCENE], seed=1)

    assert (figures.precision.count, figures.precision.total) == (1, 2)
    assert figures.uncertain_count == 1
    assert figures.false_names_per_scene is not None
    assert figures.false_names_per_scene.value == 1


def test_false_names_are_counted_by_scenes_where_there_are_any():
    picture = Item("image", tagged_count=1, is_scene=False)
    cases = [case(0.9, False, item=1), case(0.8, False, item=2)]

    mixed = evaluation.figures(cases, [SCENE, SCENE, picture], seed=1)
    pictures = evaluation.figures(cases, [picture] * 3, seed=1)

    assert mixed.false_names_per_scene is not None
    assert mixed.false_names_per_scene.value == 0.5
    assert pictures.false_names_per_scene is not None
    assert_allclose(pictures.false_names_per_scene.value, 2 / 3)


def test_the_curve_names_equal_scores_together():
    cases = [case(0.9, True), case(0.8, False, item=1), case(0.8, True, item=2)]

    points = evaluation.precision_recall(cases, [SCENE] * 4)

    assert_allclose(points, [(0.9, 1, 0.25), (0.8, 2 / 3, 0.5)])
    assert evaluation.precision_recall([], [SCENE]) == []


def test_another_threshold_gains_and_loses_names():
    cases = [
        case(0.9, True),
        case(0.6, False, item=1),
        case(0.5, True, item=2, is_named=False),
    ]

    rows = evaluation.threshold_table(cases, [SCENE] * 3)

    lowest, highest = rows[0], rows[-1]
    assert (lowest.named_count, lowest.gained_count, lowest.lost_count) == (3, 1, 0)
    assert (highest.gained_count, highest.lost_count) == (0, 1)
    assert lowest.recall.count > highest.recall.count
    assert evaluation.threshold_table([], [SCENE]) == []


@pytest.mark.parametrize(
    ("wrong_names", "per_scenes", "threshold"),
    [(0, 1, 0.8), (1, 4, 0.6), (1, 2, 0.5), (9, 1, 0.5)],
)
def test_the_smallest_threshold_lets_so_many_wrong_names_pass(
    wrong_names, per_scenes, threshold
):
    cases = [
        case(0.5, False, item=0),
        case(0.6, True, item=1),
        case(0.7, False, item=2),
        case(0.8, True, item=3),
    ]

    choice = evaluation.smallest_threshold(
        cases, [SCENE] * 4, wrong_names=wrong_names, per_scenes=per_scenes
    )

    assert choice is not None
    assert choice.threshold == threshold
    assert choice.wrong_count <= 4 * wrong_names / per_scenes
    assert choice.highest_rate > choice.wrong_count / 4


def test_a_threshold_above_every_name_is_none():
    cases = [case(0.5, True), case(0.9, False, item=1)]

    assert (
        evaluation.smallest_threshold(cases, [SCENE] * 2, wrong_names=0, per_scenes=1)
        is None
    )


def test_a_fitted_curve_is_tried_on_items_it_was_not_fitted_to():
    rng = np.random.default_rng(7)
    scores = rng.uniform(size=2000)
    cases = [
        # Told with too much confidence by far.
        case(float(score), bool(rng.uniform() < score**3), item=number)
        for number, score in enumerate(scores)
    ]

    assert evaluation.told_error(cases) > 0.2
    fitted = evaluation.cross_validated_error(cases)
    assert fitted is not None
    assert fitted < 0.06
    assert evaluation.cross_validated_error([case(0.5, True)]) is None


def test_groups_are_of_equal_size_and_of_each_source():
    cases = [
        case(
            0.5, number > 5, quality=number / 9, source=("image", "stream")[number % 2]
        )
        for number in range(9)
    ]
    items = [Item("stream", 6, is_scene=True), Item("image", 3, is_scene=False)]

    by_quality = evaluation.by_quality(cases)

    assert [group.precision.total for group in by_quality] == [3, 3, 3]
    assert [group.precision.value for group in by_quality] == [0, 0, 1]
    by_source = evaluation.by_source(cases, items)
    assert [group.label for group in by_source] == ["image", "stream"]
    assert sum(group.precision.total for group in by_source) == 9


def test_a_strong_dispute_is_a_wrong_name_surer_than_half_of_the_right_ones():
    right = [case(score, True, item=0) for score in (0.5, 0.7, 0.9)]
    sure, unsure = case(0.7, False, item=1), case(0.69, False, item=2)

    assert evaluation.strongly_disputed([*right, sure, unsure]) == {1}
    assert evaluation.strongly_disputed([sure]) == set()


def test_distances_and_reliability_count_every_case():
    cases = [case(score, score > 0.5) for score in (0.1, 0.4, 0.6, 1.0)]

    histogram = evaluation.distances(cases)

    assert (sum(histogram.right), sum(histogram.wrong)) == (2, 2)
    assert sum(each.right.total for each in evaluation.reliability(cases)) == 4
    assert sum(evaluation.distances([]).right) == 0
    assert sum(evaluation.distances([cases[0]]).wrong) == 1
