"""The index answers for every probe, however small or odd it is."""

import numpy as np
import pytest
import voyager

from recognition.exceptions import DatabaseNotLoaded
from recognition.runtime.vector_index import VectorIndex


def unit_vectors(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 512)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def index_of(vectors):
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=512)
    if len(vectors):
        # Threads would link the vectors in another order each time.
        index.add_items(vectors, num_threads=1)
    return VectorIndex(index)


@pytest.mark.parametrize("probe_count", [1, 4, 5, 10, 11, 37])
def test_each_probe_finds_itself_first_whatever_the_number_of_probes(probe_count):
    vectors = unit_vectors(300)

    found = index_of(vectors).nearest(vectors[:probe_count], k=100)

    assert [int(neighbours.faces[0]) for neighbours in found] == [*range(probe_count)]
    for neighbours in found:
        assert len(neighbours.faces) == 100
        # float32 dot products of 512 terms.
        assert neighbours.distances[0] == pytest.approx(0, abs=1e-5)
        assert (np.diff(neighbours.distances) >= 0).all()


def test_distances_are_cosine_distances():
    vectors = unit_vectors(50)
    probe = unit_vectors(1, seed=9)

    (neighbours,) = index_of(vectors).nearest(5 * probe, k=50)

    expected = 1 - (vectors[neighbours.faces] @ probe[0])
    np.testing.assert_allclose(neighbours.distances, expected, atol=1e-5)


@pytest.mark.parametrize("size", [1, 20, 99])
def test_an_index_of_fewer_faces_than_asked_for_gives_them_all(size):
    vectors = unit_vectors(size)

    (neighbours,) = index_of(vectors).nearest(vectors[:1], k=100)

    assert sorted(neighbours.faces) == [*range(size)]


def test_an_empty_index_knows_nobody():
    found = index_of(unit_vectors(0)).nearest(unit_vectors(2), k=100)

    assert [len(neighbours.faces) for neighbours in found] == [0, 0]


def test_no_probes_no_answers():
    found = index_of(unit_vectors(5)).nearest(np.empty((0, 512), np.float32), k=3)

    assert found == []


def test_equal_vectors_that_no_link_leads_to_do_not_fail_the_request():
    equal = np.repeat(unit_vectors(1), 3000, axis=0)

    (neighbours,) = index_of(equal).nearest(equal[:1], k=100)

    assert len(neighbours.faces) > 0


def test_a_file_that_is_no_index_is_reported_with_its_name(tmp_path):
    path = tmp_path / "face_arcface.voy"
    path.write_bytes(b"not an index")

    with pytest.raises(DatabaseNotLoaded, match=r"face_arcface\.voy"):
        VectorIndex.load(path)
