"""Faces of one person find together, and those of different people do not."""

import time

import numpy as np
import pytest

from recognition.numeric.clustering import cluster_faces, merge_same_performer
from recognition.numeric.fusion import Candidate


def directions(count, seed=0):
    """Embeddings of different people: nearly orthogonal in 512 dimensions."""
    rows = np.random.default_rng(seed).normal(size=(count, 512)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def faces_of(people, *, jitter=0.02, seed=1):
    """Two embeddings for each entry of `people`, which are numbers of persons."""
    rng = np.random.default_rng(seed)
    facenet, arcface = directions(50, seed=2)[people], directions(50, seed=3)[people]
    noise = rng.normal(size=(2, *facenet.shape)).astype(np.float32) * jitter
    return facenet + noise[0], arcface + noise[1]


def candidate(performer, distance):
    return Candidate(performer, 0, distance, None, None)


def test_no_faces_are_no_clusters():
    nothing = np.empty((0, 512), np.float32)

    assert cluster_faces(nothing, nothing) == []


def test_one_face_is_one_cluster():
    assert cluster_faces(*faces_of([4])) == [[0]]


def test_faces_of_one_person_find_together_in_the_order_they_came():
    clusters = cluster_faces(*faces_of([3, 1, 3, 2, 1, 3]))

    assert clusters == [[0, 2, 5], [1, 4], [3]]


def test_equal_embeddings_are_one_person():
    facenet, arcface = faces_of([5])

    clusters = cluster_faces(facenet.repeat(300, axis=0), arcface.repeat(300, axis=0))

    assert clusters == [[*range(300)]]


def test_the_order_of_the_frames_does_not_part_people():
    people = np.random.default_rng(8).integers(12, size=200)
    facenet, arcface = faces_of(people)
    shuffled = np.random.default_rng(9).permutation(200)

    clusters = cluster_faces(facenet, arcface)
    again = cluster_faces(facenet[shuffled], arcface[shuffled])

    assert len(clusters) == len(set(people.tolist()))
    assert {frozenset(shuffled[faces].tolist()) for faces in again} == {
        frozenset(faces) for faces in clusters
    }


def test_the_same_faces_give_the_same_clusters():
    facenet, arcface = faces_of(np.random.default_rng(1).integers(9, size=80), jitter=1)

    first = cluster_faces(facenet, arcface)

    assert cluster_faces(facenet.copy(), arcface.copy()) == first


@pytest.mark.parametrize("longer", ["facenet", "arcface"])
def test_neither_embedder_outweighs_the_other_by_its_length(longer):
    """Fault I17: the embedder with the longer vectors decided alone."""
    same, other = directions(2)
    alike, unlike = np.stack([same, same]), np.stack([same, other])
    embeddings = {"facenet": unlike, "arcface": unlike}

    # Alike to the embedder with the long vectors alone: half alike, distance 0.5.
    embeddings[longer] = 1000 * alike
    by_length = cluster_faces(**embeddings, threshold=0.4)
    by_both = cluster_faces(**embeddings, threshold=0.6)

    assert by_length == [[0], [1]]
    assert by_both == [[0, 1]]


def test_a_long_embedding_does_not_pull_the_mean_of_its_cluster():
    """Fault I17: means of raw embeddings were the means of the longest."""
    one, other = directions(2)
    # The mean of the first two as unit vectors lies between, 0.55 from `other`.
    rows = np.stack([one * 1000, one * 0.6 + other * 0.8, other])

    assert cluster_faces(rows, rows, threshold=0.6) == [[0, 1, 2]]


def test_a_face_joins_only_when_nearer_than_the_threshold():
    rows = np.eye(2, 512, dtype=np.float32)

    assert cluster_faces(rows, rows, threshold=1.0) == [[0], [1]]
    assert cluster_faces(rows, rows, threshold=1.01) == [[0, 1]]


@pytest.mark.parametrize("nothing", [0, np.nan, np.inf, -np.inf, 3e38])
def test_an_embedding_that_is_no_direction_leaves_the_others_as_they_are(nothing):
    facenet, arcface = faces_of([1, 1, 2, 1, 2])
    facenet[1], arcface[1] = nothing, nothing

    clusters = cluster_faces(facenet, arcface)

    assert clusters == [[0, 3], [1], [2, 4]]


def test_opposite_embeddings_that_cancel_out_do_no_harm():
    (one,) = directions(1)
    rows = np.stack([one, -one, one])

    assert cluster_faces(rows, rows, threshold=3.0) == [[0, 1, 2]]


def test_stored_half_precision_gives_the_same_people():
    facenet, arcface = faces_of([3, 1, 3, 2, 1, 3])

    clusters = cluster_faces(facenet.astype(np.float16), arcface.astype(np.float16))

    assert clusters == cluster_faces(facenet, arcface)


@pytest.mark.parametrize("people_count", [40, 2000])
def test_two_thousand_faces_take_no_time_to_speak_of(people_count):
    facenet, arcface = directions(people_count), directions(people_count, seed=1)
    people = np.arange(2000) % people_count

    start = time.process_time()
    clusters = cluster_faces(facenet[people], arcface[people])

    assert len(clusters) == people_count
    # Takes 0.1 s, and 2 s where no two faces are alike.
    assert time.process_time() - start < 20


def test_clusters_with_the_same_nearest_performer_become_one():
    candidates = [
        [candidate(1, 0.3), candidate(2, 0.4)],
        [candidate(2, 0.2)],
        [candidate(1, 0.45)],
        [candidate(2, 0.25), candidate(1, 0.3)],
    ]

    merged = merge_same_performer([[0], [1], [2, 3]], candidates, max_distance=0.5)

    # The third cluster's nearest is 2, although 1 is the nearest of its first face.
    assert merged == [[0], [1, 2, 3]]


def test_clusters_that_look_like_nobody_stay_apart():
    candidates = [[], [candidate(1, 0.6)], [], [candidate(1, 0.6)]]

    merged = merge_same_performer([[0], [1], [2], [3]], candidates, max_distance=0.5)

    assert merged == [[0], [1], [2], [3]]


def test_merging_leaves_what_it_was_given():
    clusters = [[0], [1]]

    merge_same_performer(clusters, [[candidate(1, 0.1)]] * 2, max_distance=0.5)

    assert clusters == [[0], [1]]
