"""From pictures to embedded faces, one by one and in batches across pictures."""

from itertools import chain

import numpy as np
import pytest

from recognition.pictures import decode_picture
from recognition.runtime.recognizer import Timing

BLANK = np.full((120, 160, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def pictures(small_world):
    drawn = [decode_picture(one.jpeg) for one in small_world.known_pictures(5)]
    return [drawn[0], BLANK, *drawn[1:], BLANK]


def embed_one_by_one(recognizer, pictures, *, min_face_size_px=0):
    return [
        recognizer.detect_and_embed(
            picture,
            min_face_confidence=0.5,
            min_face_size_px=min_face_size_px,
            timing=Timing(),
        )
        for picture in pictures
    ]


def test_a_picture_gives_its_faces_with_crops_and_embeddings(
    small_recognizer, pictures
):
    timing = Timing()

    faces = small_recognizer.detect_and_embed(
        pictures[0], min_face_confidence=0.5, min_face_size_px=0, timing=timing
    )

    assert faces
    assert {*timing.seconds} == {"detect", "align", "embed"}
    for face in faces:
        assert face.crop.shape == (112, 112, 3)
        assert face.facenet.shape == face.arcface.shape == (512,)
        assert face.facenet.dtype == face.arcface.dtype == np.float32


def set_batch_size(monkeypatch, recognizer, batch_size):
    for embedder in (recognizer.networks.facenet, recognizer.networks.arcface):
        monkeypatch.setattr(embedder, "batch_size", batch_size)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batches_across_pictures_change_nothing(
    small_recognizer, pictures, monkeypatch, batch_size
):
    set_batch_size(monkeypatch, small_recognizer, batch_size)

    batched = list(
        small_recognizer.iter_detect_and_embed(
            iter(pictures),
            min_face_confidence=0.5,
            min_face_size_px=0,
            timing=Timing(),
        )
    )

    alone = embed_one_by_one(small_recognizer, pictures)
    assert [len(faces) for faces in batched] == [len(faces) for faces in alone]
    assert [len(faces) > 0 for faces in batched] == [
        picture is not BLANK for picture in pictures
    ]
    for face, same in zip(chain(*batched), chain(*alone), strict=True):
        assert face.face.box == same.face.box
        # Another batch size, another order of sums: float32.
        np.testing.assert_allclose(face.facenet, same.facenet, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(face.arcface, same.arcface, rtol=1e-3, atol=1e-4)


def test_pictures_are_taken_one_by_one_and_answered_when_a_batch_is_full(
    small_recognizer, pictures, monkeypatch
):
    set_batch_size(monkeypatch, small_recognizer, 1)
    taken = []

    def decoded():
        for number, picture in enumerate(pictures):
            taken.append(number)
            yield picture

    answers = small_recognizer.iter_detect_and_embed(
        decoded(), min_face_confidence=0.5, min_face_size_px=0, timing=Timing()
    )

    assert taken == []
    for number in range(len(pictures)):
        next(answers)
        assert taken == [*range(number + 1)]


def test_no_pictures_give_nothing(small_recognizer):
    assert (
        list(
            small_recognizer.iter_detect_and_embed(
                [], min_face_confidence=0.5, min_face_size_px=0, timing=Timing()
            )
        )
        == []
    )


def test_small_faces_are_left_out(small_recognizer, pictures):
    (every,) = embed_one_by_one(small_recognizer, pictures[:1])
    sides = [min(one.face.box.width, one.face.box.height) for one in every]

    (as_large,) = embed_one_by_one(
        small_recognizer, pictures[:1], min_face_size_px=max(sides)
    )
    (larger,) = embed_one_by_one(
        small_recognizer, pictures[:1], min_face_size_px=max(sides) + 1
    )

    assert len(as_large) == sides.count(max(sides))
    assert larger == []


def test_a_face_is_kept_with_what_it_takes_to_match_it_again(
    small_recognizer, pictures
):
    ((face, *_),) = embed_one_by_one(small_recognizer, pictures[:1])

    seen = face.seen_in(4, seconds=12.5)

    assert (seen.frame, seen.seconds) == (4, 12.5)
    assert seen.box == face.face.box
    assert seen.confidence == face.face.confidence
    assert 0 < seen.quality <= 1
    assert seen.facenet is face.facenet
    assert seen.arcface is face.arcface
