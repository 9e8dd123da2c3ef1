"""Faces out of many pictures: what is kept of each, whatever the batches."""

from contextlib import nullcontext

import numpy as np
import pytest

from recognition.pictures import decode_picture
from recognition.runtime.collector import FaceCollector, FaceFilter, look_at
from recognition.runtime.recognizer import Timing

BLANK = np.full((120, 160, 3), 128, np.uint8)
EVERY_FACE = FaceFilter(min_confidence=0.5, min_size_px=0)


@pytest.fixture(scope="module")
def pictures(small_world):
    drawn = [decode_picture(one.jpeg) for one in small_world.known_pictures(5)]
    return [drawn[0], BLANK, *drawn[1:], BLANK]


def look(recognizer, picture, face_filter=EVERY_FACE, *, frame=0, scale=1.0):
    return look_at(
        recognizer.networks,
        picture,
        face_filter=face_filter,
        frame=frame,
        seconds=10.0 * frame,
        scale=scale,
        timing=Timing(),
    )


def collected(recognizer, pictures):
    collector = FaceCollector(recognizer.networks, turn=nullcontext, timing=Timing())
    for frame, picture in enumerate(pictures):
        collector.add(look(recognizer, picture, frame=frame).faces)
    return collector.collect()


def test_a_picture_gives_its_faces_with_crops_and_embeddings(
    small_recognizer, pictures
):
    (seen, *_), (crop, *_) = (
        collected(small_recognizer, pictures[:1]).faces,
        collected(small_recognizer, pictures[:1]).crop_jpegs,
    )

    assert (seen.frame, seen.seconds) == (0, 0.0)
    assert 0 < seen.quality <= 1
    assert seen.facenet.shape == seen.arcface.shape == (512,)
    assert seen.facenet.dtype == seen.arcface.dtype == np.float32
    assert decode_picture(crop).shape == (112, 112, 3)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batches_across_pictures_change_nothing(
    small_recognizer, pictures, monkeypatch, batch_size
):
    alone = collected(small_recognizer, pictures).faces
    for embedder in (
        small_recognizer.networks.facenet,
        small_recognizer.networks.arcface,
    ):
        monkeypatch.setattr(embedder, "_batch_size", batch_size)

    batched = collected(small_recognizer, pictures).faces

    assert {face.frame for face in batched} == {0, 2, 3, 4, 5}
    for face, same in zip(batched, alone, strict=True):
        assert (face.frame, face.box) == (same.frame, same.box)
        # Another batch size, another order of sums: float32.
        np.testing.assert_allclose(face.facenet, same.facenet, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(face.arcface, same.arcface, rtol=1e-3, atol=1e-4)


def test_what_was_collected_can_be_asked_for_before_the_end(small_recognizer, pictures):
    collector = FaceCollector(
        small_recognizer.networks, turn=nullcontext, timing=Timing()
    )
    faces = look(small_recognizer, pictures[0]).faces
    collector.add(faces)
    assert len(collector.collect().faces) == len(faces)

    collector.add(look(small_recognizer, pictures[2], frame=2).faces)

    assert [face.frame for face in collector.collect().faces][: len(faces)] == [0] * (
        len(faces)
    )
    assert collector.count == len(collector.collect().faces) > len(faces)


def test_no_pictures_give_nothing(small_recognizer):
    assert collected(small_recognizer, []).faces == []


def test_small_faces_are_left_out(small_recognizer, pictures):
    every = look(small_recognizer, pictures[0])
    sides = [min(face.box.width, face.box.height) for face in every.faces]

    as_large = look(small_recognizer, pictures[0], FaceFilter(0.5, max(sides)))
    larger = look(small_recognizer, pictures[0], FaceFilter(0.5, max(sides) + 1))

    assert len(as_large.faces) == sides.count(max(sides))
    assert (larger.faces, larger.detected_count) == ([], every.detected_count)


def test_boxes_and_sizes_of_a_scaled_picture_are_those_of_the_original(
    small_recognizer, pictures
):
    plain = look(small_recognizer, pictures[0]).faces
    side = min(plain[0].box.width, plain[0].box.height)

    scaled = look(small_recognizer, pictures[0], FaceFilter(0.5, 2 * side), scale=0.5)

    assert [face.box.width for face in scaled.faces] == [
        2 * face.box.width
        for face in plain
        if min(face.box.width, face.box.height) >= side
    ]
