"""The few faces of a release that can matter to a probe."""

import numpy as np
import pytest

from recognition.numeric.fusion import (
    HEALTH_NEIGHBOURS,
    EmbedderHealth,
    Neighbours,
    choose_strategy,
    embedder_health,
    fuse,
    fuse_aligned,
)
from recognition.numeric.near_faces import (
    HEALTH_REACH,
    reach_of,
    select_near,
)

ASKED_FOR = 100


def neighbours(generator, *, face_count=400, count=ASKED_FOR, first=0.02):
    faces = generator.choice(face_count, count, replace=False)
    distances = np.sort(generator.uniform(first, 1.2, count)).astype(np.float32)
    return Neighbours(faces, distances)


def candidates(fuse, lists, nearest, *, max_distance):
    return fuse(
        *lists,
        face_performers=(np.arange(400) // 3).astype(np.int32),
        strategy=choose_strategy(
            facenet=embedder_health(nearest[0]), arcface=embedder_health(nearest[1])
        ),
        max_distance=max_distance,
    )


@pytest.mark.parametrize("max_distance", [0.0, 0.2, 0.5, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("first", [0.0, 0.15, 0.3, 0.6])
def test_near_faces_give_the_candidates_that_all_neighbours_give(max_distance, first):
    generator = np.random.default_rng(int(100 * max_distance + 1000 * first))
    for _ in range(20):
        lists = [neighbours(generator, first=first) for _ in range(2)]
        expected = candidates(
            fuse, lists, [each.distances for each in lists], max_distance=max_distance
        )

        near = select_near(*lists, reach=reach_of(max_distance), cut_at=ASKED_FOR)

        aligned = (
            near.faces,
            *map(np.float64, (near.facenet_distances, near.arcface_distances)),
        )
        assert expected == candidates(
            fuse_aligned,
            aligned,
            [near.nearest_facenet, near.nearest_arcface],
            max_distance=max_distance,
        )


def test_an_embedder_that_sees_nothing_is_known_by_near_faces_alone():
    """Beyond HEALTH_REACH no neighbour makes an embedder one that sees nothing."""
    generator = np.random.default_rng(1)
    for smallest in np.linspace(0, 0.2, 21):
        nearest = np.full(HEALTH_NEIGHBOURS, smallest)
        nearest[-1] = HEALTH_REACH + generator.uniform(0, 0.5)

        assert embedder_health(nearest) is EmbedderHealth.HEALTHY


def test_a_list_that_ends_within_reach_is_cut():
    whole = Neighbours(np.arange(50), np.linspace(0.1, 0.4, 50, dtype=np.float32))
    full = Neighbours(np.arange(100), np.linspace(0.1, 0.4, 100, dtype=np.float32))

    in_whole = select_near(whole, whole, reach=0.5, cut_at=ASKED_FOR)
    in_full = select_near(whole, full, reach=0.5, cut_at=ASKED_FOR)

    assert not in_whole.is_cut(0.5)
    assert in_full.is_cut(0.5)
    assert not in_full.is_cut(0.3)
    assert in_full.arcface_cut == pytest.approx(0.4)


def test_without_neighbours_nobody_is_near():
    empty = Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))

    near = select_near(empty, empty, reach=0.5, cut_at=ASKED_FOR)

    assert len(near.faces) == 0
    assert not near.is_cut(2.0)
