"""A release with local performers behind it, searched as one."""

import json

import numpy as np
import pytest
import voyager

from dbupdates.prepared import open_prepared, write_prepared
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.face_identities import FaceIdentities
from recognition.runtime.local_overlay import (
    LocalOverlay,
    OverlaidIndex,
    open_segment,
    with_overlay,
    write_segment,
)
from recognition.runtime.vector_index import VectorIndex

RNG = np.random.default_rng(5)
RELEASE_FACES, LOCAL_FACES = 40, 7


def unit(count):
    vectors = RNG.standard_normal((count, 512), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def index_of(vectors):
    index = voyager.Index(voyager.Space.Cosine, num_dimensions=512)
    index.add_items(vectors)
    return VectorIndex(index)


@pytest.fixture
def plain(tmp_path):
    """A release of two performers with twenty faces each."""
    owners = ["stashdb.org:0"] * 20 + ["stashdb.org:1"] * 20
    names = {"stashdb.org:0": {"name": "Zero"}, "stashdb.org:1": {"name": "One"}}
    (tmp_path / "faces.json").write_text(json.dumps(owners))
    (tmp_path / "performers.json").write_text(json.dumps(names))
    write_prepared(tmp_path)
    return FaceDatabase(
        version="2026.03.01",
        facenet=index_of(unit(RELEASE_FACES)),
        arcface=index_of(unit(RELEASE_FACES)),
        release=open_prepared(tmp_path),
    )


def overlay_of(*sizes, revision="r1"):
    """Return an overlay of as many segments; its performers own faces in turn."""
    count = sum(sizes)
    return LocalOverlay(
        revision=revision,
        performers=[(11, "Anna"), (12, "Bob")],
        owners=np.arange(count, dtype=np.int32) % 2,
        segments={
            f"s{number}": np.stack([unit(size), unit(size)])
            for number, size in enumerate(sizes)
        },
    )


@pytest.mark.parametrize("sizes", [(LOCAL_FACES,), (3, 4), (1,)])
@pytest.mark.parametrize("k", [1, 5, 100])
def test_neighbours_are_the_nearest_of_the_index_and_of_all_local_faces(
    plain, sizes, k
):
    overlaid = with_overlay(plain, overlay_of(*sizes))
    local = overlaid.facenet.vectors(np.arange(RELEASE_FACES, len(overlaid.facenet)))
    probes = unit(130)

    # Their length does not matter.
    found = overlaid.facenet.nearest(3 * probes, k=k)

    indexed = plain.facenet.nearest(probes, k=k)
    for neighbours, known, probe in zip(found, indexed, probes, strict=True):
        every = np.concatenate([known.distances, 1 - local @ probe])
        # Voyager adds up in another order.
        np.testing.assert_allclose(neighbours.distances, np.sort(every)[:k], atol=1e-5)
        vectors = overlaid.facenet.vectors(neighbours.faces.astype(np.int64))
        np.testing.assert_allclose(neighbours.distances, 1 - vectors @ probe, atol=1e-5)
        assert len({*neighbours.faces.tolist()}) == min(k, RELEASE_FACES + sum(sizes))


def test_a_probe_that_points_nowhere_is_near_to_no_local_face(plain):
    overlaid = with_overlay(plain, overlay_of(LOCAL_FACES))
    probes = np.stack([np.zeros(512), np.full(512, np.nan)]).astype(np.float32)

    for neighbours in overlaid.facenet.nearest(probes, k=5):
        near = neighbours.distances[np.isfinite(neighbours.distances)]
        assert not (near < 0.99).any()


def test_rows_behind_the_releases_are_local_performers(plain):
    overlaid = with_overlay(plain, overlay_of(3, 4))
    release = overlaid.release

    assert (release.face_count, release.performer_count) == (47, 4)
    anna = release.performer(release.face_performers[40])
    assert (anna.universal_id, anna.name, anna.face_count) == ("local:11", "Anna", 4)
    assert release.performer(1).universal_id == "stashdb.org:1"
    assert [
        release.find_row(id) for id in ("local:11", "stashdb.org:1", "local:9")
    ] == [
        release.face_performers[40],
        1,
        None,
    ]
    with pytest.raises(IndexError):
        release.performer(4)
    assert (overlaid.version, overlaid.local_revision) == ("2026.03.01", "r1")
    assert overlaid.facenet.dimensions == 512


def test_an_empty_overlay_is_none(plain):
    assert with_overlay(plain, overlay_of()) is plain
    assert with_overlay(with_overlay(plain, overlay_of(2)), None) is plain


def test_another_overlay_takes_the_place_of_the_former(plain):
    first = with_overlay(plain, overlay_of(2))

    second = with_overlay(first, overlay_of(3, revision="r2"))

    assert len(second.facenet) == RELEASE_FACES + 3
    assert second.plain is plain


def test_identities_of_a_release_and_of_local_faces_are_those_of_both(plain):
    overlaid = with_overlay(plain, overlay_of(3, 4))

    apart = FaceIdentities.of(plain).and_local(FaceIdentities.of_local(overlaid))

    np.testing.assert_array_equal(apart.digests, FaceIdentities.of(overlaid).digests)
    assert len({*apart.digests.tolist()}) == 47


def test_a_segment_is_read_as_it_was_written(tmp_path):
    segment = np.stack([unit(3), unit(3)])
    path = tmp_path / "segment.npy"

    write_segment(path, segment)
    opened = open_segment(path, face_count=3)

    np.testing.assert_array_equal(opened, segment)
    assert path.stat().st_mode & 0o077 == 0
    path.unlink()
    np.testing.assert_array_equal(opened, segment)


@pytest.mark.parametrize(
    "content", [b"", b"no array", b"\x93NUMPY\x01\x00"], ids=["empty", "text", "cut"]
)
def test_a_damaged_segment_is_an_error(tmp_path, content):
    path = tmp_path / "segment.npy"
    path.write_bytes(content)
    with pytest.raises((OSError, ValueError)):
        open_segment(path, face_count=3)

    write_segment(path, np.stack([unit(2), unit(2)]))
    with pytest.raises(ValueError, match="not"):
        open_segment(path, face_count=3)


def test_an_index_over_nothing_finds_what_is_behind_it():
    further = unit(3)
    index = OverlaidIndex(index_of(unit(1)), [further])

    (found,) = index.nearest(further[1:2], k=1)

    assert found.faces.tolist() == [2]
