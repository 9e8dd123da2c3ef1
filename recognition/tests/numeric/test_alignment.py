"""Alignment, against the library that the published indices were made with."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recognition.numeric.alignment import (
    ARCFACE_TEMPLATE,
    align_face,
    is_alignable,
    similarity_to_template,
)


@pytest.fixture(scope="module")
def picture():
    noise = np.random.default_rng(7).integers(0, 256, (40, 60, 3), np.uint8)
    return cv2.resize(noise, (600, 400), interpolation=cv2.INTER_CUBIC)


def posed(*, scale, degrees, centre, noise_px=0.0, seed=0):
    """The template's landmarks turned, scaled, moved and disturbed."""
    angle = np.radians(degrees)
    rotation = np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    points = (ARCFACE_TEMPLATE - ARCFACE_TEMPLATE.mean(axis=0)) @ rotation.T * scale
    noise = np.random.default_rng(seed).normal(0, noise_px, (5, 2))
    return (points + centre + noise).astype(np.float32)


POSES = [
    posed(scale=1.0, degrees=0, centre=(300, 200)),
    posed(scale=0.4, degrees=15, centre=(120, 300), noise_px=1.0, seed=1),
    posed(scale=2.5, degrees=-40, centre=(320, 180), noise_px=5.0, seed=2),
    posed(scale=1.2, degrees=170, centre=(400, 250), noise_px=3.0, seed=3),
    posed(scale=1.0, degrees=5, centre=(10, 395), noise_px=2.0, seed=4),
    posed(scale=1.0, degrees=0, centre=(900, 900)),
    posed(scale=1.0, degrees=0, centre=(300, 200), noise_px=40.0, seed=5),
]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("landmarks", POSES)
def test_a_crop_is_the_librarys_within_a_grey_level(picture, landmarks):
    face_align = pytest.importorskip("insightface.utils.face_align")

    crop = align_face(picture, landmarks)

    assert crop.shape == (112, 112, 3)
    assert crop.dtype == np.uint8
    expected = face_align.norm_crop(picture, landmarks)
    # The transform agrees to a part in a million; a pixel can still round up or down.
    assert_allclose(crop.astype(int), expected.astype(int), atol=1)


def test_landmarks_on_the_template_leave_the_picture_as_it_is(picture):
    assert_array_equal(align_face(picture, ARCFACE_TEMPLATE), picture[:112, :112])


def test_what_lies_beyond_the_picture_is_black():
    white = np.full((100, 100, 3), 255, np.uint8)

    crop = align_face(white, posed(scale=1.0, degrees=0, centre=(0, 0)))

    assert_array_equal(crop[:40, :40], 0)
    assert_array_equal(crop[90:, 90:], 255)


def test_a_face_far_along_a_very_long_picture_is_cut_out_right():
    long = np.zeros((150, 40_000, 3), np.uint8)
    noise = np.random.default_rng(3).integers(0, 256, (150, 200, 3), np.uint8)
    long[:, 39_000:39_200] = noise
    landmarks = posed(scale=1.0, degrees=0, centre=(100, 70))

    crop = align_face(long, landmarks + np.array([39_000, 0], np.float32))

    assert_allclose(crop.astype(int), align_face(noise, landmarks).astype(int), atol=2)


def test_the_transform_neither_shears_nor_reflects():
    mirrored = ARCFACE_TEMPLATE * (-1, 1)

    transform = similarity_to_template(mirrored)

    (a, b), (c, d) = transform[:, :2]
    assert (a, b) == pytest.approx((d, -c))
    assert a * d - b * c > 0


@pytest.mark.parametrize(
    "landmarks",
    [np.full((5, 2), 50.0), np.full((5, 2), np.nan), np.full((5, 2), np.inf)],
)
def test_landmarks_without_extent_are_refused(picture, landmarks):
    assert not is_alignable(landmarks)
    with pytest.raises(ValueError, match="coincide"):
        align_face(picture, landmarks)
