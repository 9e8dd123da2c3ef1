"""Which Voyager files pass, and which are refused without anything crashing.

Files that end the process that loads them are in test_trial_load.py.
"""

import struct

import numpy as np
import pytest
import voyager

from dbupdates.exceptions import UnloadableIndex
from dbupdates.index_check import check_index
from dbupdates.tests.builder import (
    COUNT_AT,
    ELEMENTS_AT,
    ENTRY_POINT_AT,
    MAX_ELEMENTS_AT,
    element_bytes,
    index_bytes,
)

COUNT = 300
SOUND = index_bytes(COUNT)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "face_facenet.voy"


def changed(*edits):
    content = bytearray(SOUND)
    for at, format_, value in edits:
        struct.pack_into(format_, content, at, value)
    return bytes(content)


def at_every_element(offset, format_, value):
    size = element_bytes(SOUND)
    return [(ELEMENTS_AT + n * size + offset, format_, value) for n in range(COUNT)]


@pytest.mark.parametrize("storage", ["Float32", "E4M3"])
@pytest.mark.parametrize("count", [1, 2, 40, 300])
def test_a_sound_index_of_any_length_passes(path, storage, count):
    storage_type = getattr(voyager.StorageDataType, storage)
    path.write_bytes(index_bytes(count, storage=storage_type))

    assert check_index(path, dimensions=512) == count


def test_an_index_that_many_threads_built_passes(path):
    vectors = np.random.default_rng(3).normal(size=(1000, 512)).astype(np.float32)
    index = voyager.Index(voyager.Space.Cosine, 512)
    index.add_items(vectors, num_threads=4)
    index.save(str(path))

    assert check_index(path, dimensions=512) == 1000


def test_equal_vectors_are_no_fault(path):
    vectors = np.tile(np.eye(1, 512, dtype=np.float32), (200, 1))
    index = voyager.Index(voyager.Space.Cosine, 512)
    index.add_items(vectors, num_threads=1)
    index.save(str(path))

    assert check_index(path, dimensions=512) == 200


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be loaded"),
        (bytes(len(SOUND)), "cannot be loaded"),
        (np.random.default_rng(0).bytes(len(SOUND)), "cannot be loaded"),
        (SOUND[:60], "cannot be loaded"),
        (SOUND[: len(SOUND) // 2], "cannot be loaded"),
        (SOUND[:-1], "cannot be loaded"),
        (SOUND + b"more", "cannot be loaded"),
        (changed((MAX_ELEMENTS_AT, "<Q", 1 << 40)), "cannot be loaded.*memory"),
        (changed((COUNT_AT, "<Q", 1 << 40)), "cannot be loaded"),
        (changed((COUNT_AT, "<Q", COUNT - 1)), "cannot be loaded"),
        (changed((ENTRY_POINT_AT, "<i", 1 << 30)), "cannot be loaded"),
        (index_bytes(50, dimensions=256), "has 256 dimensions, not 512"),
        (index_bytes(50, space=voyager.Space.Euclidean), "is of space Euclidean"),
        (
            index_bytes(50, storage=voyager.StorageDataType.Float8),
            "stores Float8, not Float32 or E4M3",
        ),
        (index_bytes(50, ids=list(range(1, 51))), "ids from 1 to 50, not from 0 to 49"),
        (index_bytes(2, ids=[0, 1 << 60]), "ids from 0 to 1152921504606846976"),
        (changed(*at_every_element(2148, "<Q", 0)), "1 ids for 300 vectors"),
        (changed(*at_every_element(100, "<f", float("nan"))), "find themselves"),
        (changed(*at_every_element(0, "<I", 0)), "find themselves"),
        (index_bytes(0), "cannot be loaded"),
    ],
)
def test_what_cannot_serve_is_refused(path, content, reason):
    path.write_bytes(content)

    with pytest.raises(UnloadableIndex, match=reason):
        check_index(path, dimensions=512)


def test_a_deleted_vector_is_refused(path):
    count = 600
    vectors = np.random.default_rng(4).normal(size=(count, 512)).astype(np.float32)
    index = voyager.Index(voyager.Space.Cosine, 512)
    index.add_items(vectors, num_threads=1)
    # Between two vectors of the sample.
    index.mark_deleted(1)
    index.save(str(path))

    with pytest.raises(UnloadableIndex, match="has deleted vectors"):
        check_index(path, dimensions=512)


def test_a_link_into_nothing_is_found_though_searching_it_does_no_harm(path):
    # Room for more elements than there are, so that following the link is harmless.
    content = bytearray(index_bytes(COUNT, max_elements=COUNT + 8))
    at = ELEMENTS_AT + 177 * element_bytes(bytes(content))
    struct.pack_into("<I", content, at + 4, COUNT + 3)
    path.write_bytes(content)

    with pytest.raises(UnloadableIndex, match="links to elements it does not have"):
        check_index(path, dimensions=512)


def test_a_missing_file_is_refused(path):
    with pytest.raises(UnloadableIndex, match="cannot be loaded"):
        check_index(path, dimensions=512)
