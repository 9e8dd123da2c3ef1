"""Faces as records of bytes."""

import numpy as np
import pytest

from recognition.numeric.boxes import FaceBox
from recognition.numeric.near_faces import NearFaces
from recognition.numeric.packing import PackedFaces, PackedNear
from recognition.numeric.people import COVER_FRAME, SeenFace

# What half precision may cost: a hundredth of the distance that tells people apart.
MOST_CHANGE = 0.001


def directions(count, *, seed):
    rows = np.random.default_rng(seed).normal(size=(count, 512)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def face(*, frame=3, seconds=1.5, facenet=None, arcface=None):
    return SeenFace(
        frame=frame,
        seconds=seconds,
        box=FaceBox(-4, 20, 60, 70),
        confidence=0.75,
        quality=0.5,
        facenet=directions(1, seed=1)[0] if facenet is None else facenet,
        arcface=directions(1, seed=2)[0] if arcface is None else arcface,
    )


def near(faces, *, cuts=(0.75, np.inf), nearest=(0.25, 0.5)):
    count = len(faces)
    return NearFaces(
        faces=np.array(faces, dtype=np.int64),
        facenet_distances=np.linspace(0.1, 0.4, count, dtype=np.float32),
        arcface_distances=np.full(count, np.nan, dtype=np.float32),
        nearest_facenet=np.array(nearest, dtype=np.float32),
        nearest_arcface=np.empty(0, dtype=np.float32),
        facenet_cut=cuts[0],
        arcface_cut=cuts[1],
    )


def assert_same(one, other):
    np.testing.assert_array_equal(one.faces, other.faces)
    for name in ("facenet_distances", "arcface_distances"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("nearest_facenet", "nearest_arcface"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.facenet_cut, one.arcface_cut) == (other.facenet_cut, other.arcface_cut)


# The embedders' lengths: FaceNet's are about 30, ArcFace's about 20.
@pytest.mark.parametrize("length", [1, 30, 1000])
def test_half_precision_changes_distances_by_less_than_a_thousandth(length):
    probes = directions(300, seed=3)
    # From the very same direction to right angles, as faces of a release are.
    noise = directions(300, seed=4) * np.linspace(0, 3, 300)[:, None]
    others = probes + noise.astype(np.float32)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    packed = PackedFaces.pack(
        [face(facenet=each * length, arcface=each) for each in probes]
    )

    kept = PackedFaces.from_bytes(packed.as_bytes()).embeddings("facenet")

    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    change = np.abs((kept * others).sum(axis=1) - (probes * others).sum(axis=1))
    assert 0 < change.max() < MOST_CHANGE


def test_faces_come_back_as_they_were():
    faces = [face(), face(frame=COVER_FRAME, seconds=None)]

    back = PackedFaces.from_bytes(PackedFaces.pack(faces).as_bytes()).seen()

    for one, other in zip(back, faces, strict=True):
        assert (one.frame, one.seconds, one.box) == (
            other.frame,
            other.seconds,
            other.box,
        )
        assert (one.confidence, one.quality) == (other.confidence, other.quality)


def test_a_face_takes_as_many_bytes_as_the_module_says():
    assert len(PackedFaces.pack([face()]).as_bytes()) == 2080


def test_no_faces_are_no_bytes():
    assert PackedFaces.pack([]).as_bytes() == b""
    assert PackedFaces.from_bytes(b"").seen() == []
    assert PackedNear.pack([], np.empty(0, np.uint64)).probes(np.empty(0, int)) == []


def test_what_are_no_records_is_refused():
    with pytest.raises(ValueError, match="size"):
        PackedFaces.from_bytes(b"no faces")
    with pytest.raises(ValueError, match="size"):
        PackedNear.from_bytes(b"12345", b"")


def test_near_faces_come_back_for_the_rows_of_another_release():
    digests = np.arange(100, 120, dtype=np.uint64)
    probes = [near([3, 7]), near([]), near([7, 1, 0], cuts=(np.inf, 0.5))]

    packed = PackedNear.from_bytes(*PackedNear.pack(probes, digests).as_bytes())

    np.testing.assert_array_equal(packed.near["face"], [103, 107, 107, 101, 100])
    for back, probe in zip(
        packed.probes(packed.near["face"].astype(np.int64) - 100), probes, strict=True
    ):
        assert_same(back, probe)
