"""Score-level fusion, against the recorded cases and at its edges."""

import numpy as np
import pytest

from recognition.numeric.fusion import (
    EmbedderHealth,
    FusionStrategy,
    Neighbours,
    choose_strategy,
    embedder_health,
    fuse,
)
from recognition.tests.vectors import load_cases

HEALTHY = EmbedderHealth.HEALTHY
DEGENERATE = EmbedderHealth.DEGENERATE
NO_RESULTS = EmbedderHealth.NO_RESULTS

# Recorded to four or five decimals, so sums of halves differ in the last float digit.
ROUNDING = 1e-9


def neighbours(*pairs):
    """Neighbours from (face, distance) pairs, typed as the vector index gives them."""
    faces = np.array([face for face, _ in pairs], dtype=np.uint64)
    distances = np.array([distance for _, distance in pairs], dtype=np.float32)
    return Neighbours(faces, distances)


def performers_of(*rows):
    return np.array(rows, dtype=np.int32)


def fuse_all(facenet, arcface, face_performers, strategy, **kwargs):
    return fuse(
        facenet,
        arcface,
        face_performers=face_performers,
        strategy=strategy,
        max_distance=2.0,
        **kwargs,
    )


@pytest.mark.parametrize("case", load_cases("embedder_health"))
def test_health_is_as_recorded(case):
    assert embedder_health(case["distances"]) == case["health"]


@pytest.mark.parametrize("case", load_cases("fusion"))
def test_fusion_is_as_recorded(case):
    ids = sorted({universal_id for universal_id in case["faces"] if universal_id})
    row_of = {universal_id: row for row, universal_id in enumerate(ids)}
    face_performers = performers_of(*(row_of.get(face, -1) for face in case["faces"]))
    facenet, arcface = (
        Neighbours(
            np.array(case[embedder]["ids"], dtype=np.uint64),
            np.array(case[embedder]["distances"]),
        )
        for embedder in ("facenet", "arcface")
    )

    # Health is given in the recording, not a consequence of the distances in it.
    strategy = choose_strategy(
        facenet=EmbedderHealth(case["facenet_health"]),
        arcface=EmbedderHealth(case["arcface_health"]),
    )
    candidates = fuse(
        facenet,
        arcface,
        face_performers=face_performers,
        strategy=strategy,
        max_distance=case["max_distance"],
    )

    assert strategy == case["strategy"]
    recorded = case["candidates"]
    assert [ids[candidate.performer] for candidate in candidates] == [
        candidate["universal_id"] for candidate in recorded
    ]
    for candidate, expected in zip(candidates, recorded, strict=True):
        assert candidate.distance == pytest.approx(expected["distance"], abs=ROUNDING)
        assert candidate.facenet_distance == expected["facenet_distance"]
        assert candidate.arcface_distance == expected["arcface_distance"]


@pytest.mark.parametrize(
    ("facenet", "arcface", "strategy"),
    [
        (HEALTHY, HEALTHY, FusionStrategy.WEIGHTED),
        (HEALTHY, DEGENERATE, FusionStrategy.FACENET_ONLY),
        (HEALTHY, NO_RESULTS, FusionStrategy.FACENET_ONLY),
        (DEGENERATE, HEALTHY, FusionStrategy.ARCFACE_ONLY),
        (NO_RESULTS, HEALTHY, FusionStrategy.ARCFACE_ONLY),
        (DEGENERATE, DEGENERATE, FusionStrategy.FACENET_FALLBACK),
        (NO_RESULTS, NO_RESULTS, FusionStrategy.FACENET_FALLBACK),
    ],
)
def test_an_unhealthy_embedder_is_left_out(facenet, arcface, strategy):
    assert choose_strategy(facenet=facenet, arcface=arcface) is strategy


def test_arcface_alone_proposes_nobody_that_only_facenet_ranked():
    facenet = neighbours((0, 0.01), (1, 0.02))
    arcface = neighbours((1, 0.5), (2, 0.6))

    candidates = fuse_all(
        facenet, arcface, performers_of(10, 11, 12), FusionStrategy.ARCFACE_ONLY
    )

    assert [candidate.performer for candidate in candidates] == [11, 12]
    assert [candidate.distance for candidate in candidates] == pytest.approx([0.5, 0.6])
    assert candidates[0].facenet_distance == pytest.approx(0.02)
    assert candidates[1].facenet_distance is None


@pytest.mark.parametrize(
    "strategy", [FusionStrategy.FACENET_ONLY, FusionStrategy.FACENET_FALLBACK]
)
def test_facenet_alone_knows_no_arcface_distance(strategy):
    facenet = neighbours((0, 0.4))
    arcface = neighbours((0, 0.01), (1, 0.01))

    (candidate,) = fuse_all(facenet, arcface, performers_of(10, 11), strategy)

    assert candidate.performer == 10
    assert candidate.distance == pytest.approx(0.4)
    assert candidate.arcface_distance is None


def test_a_performer_with_many_faces_is_proposed_once_by_the_nearest():
    facenet = neighbours((0, 0.30), (1, 0.32), (2, 0.34), (3, 0.50))
    arcface = neighbours((2, 0.10), (1, 0.40), (0, 0.60), (3, 0.50))

    candidates = fuse_all(
        facenet, arcface, performers_of(7, 7, 7, 8), FusionStrategy.WEIGHTED
    )

    assert [(candidate.performer, candidate.face) for candidate in candidates] == [
        (7, 2),
        (8, 3),
    ]


def test_two_embedders_agreeing_outrank_one_alone_at_the_same_distance():
    facenet = neighbours((0, 0.3), (1, 0.3))
    arcface = neighbours((1, 0.3))

    candidates = fuse_all(
        facenet, arcface, performers_of(0, 1), FusionStrategy.WEIGHTED
    )

    assert [candidate.performer for candidate in candidates] == [1, 0]


def test_faces_of_nobody_and_faces_the_release_does_not_have_are_skipped():
    facenet = neighbours((0, 0.1), (1, 0.2), (99, 0.0))

    candidates = fuse_all(
        facenet, neighbours(), performers_of(-1, 5), FusionStrategy.WEIGHTED
    )

    assert [candidate.performer for candidate in candidates] == [5]


def test_a_distance_that_is_not_a_number_counts_as_absent():
    facenet = neighbours((0, np.nan), (1, 0.3))

    candidates = fuse_all(
        facenet, neighbours(), performers_of(4, 5), FusionStrategy.FACENET_ONLY
    )

    assert [candidate.performer for candidate in candidates] == [5]
    assert embedder_health([np.nan, np.nan]) is NO_RESULTS


def test_the_limits_on_distance_and_count_are_honoured():
    facenet = neighbours((0, 0.25), (1, 0.5), (2, 0.75))

    candidates = fuse(
        facenet,
        neighbours(),
        face_performers=performers_of(0, 1, 2),
        strategy=FusionStrategy.FACENET_ONLY,
        max_distance=0.5,
    )
    first = fuse_all(
        facenet,
        neighbours(),
        performers_of(0, 1, 2),
        FusionStrategy.FACENET_ONLY,
        max_candidates=1,
    )

    assert [candidate.performer for candidate in candidates] == [0, 1]
    assert [candidate.performer for candidate in first] == [0]


def test_no_neighbours_give_no_candidates():
    for strategy in FusionStrategy:
        assert fuse_all(neighbours(), neighbours(), performers_of(), strategy) == []


def test_confidence_stays_between_nought_and_one():
    facenet = neighbours((0, -0.1), (1, 0.25), (2, 1.5))

    candidates = fuse_all(
        facenet, neighbours(), performers_of(0, 1, 2), FusionStrategy.FACENET_ONLY
    )

    assert [candidate.confidence for candidate in candidates] == [1.0, 0.75, 0.0]
