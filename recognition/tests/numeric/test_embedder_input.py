"""What the embedders are shown, against the recorded inputs."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recognition.numeric.embedder_input import (
    arcface_input,
    facenet_input,
    mean_over_mirrors,
    with_mirrors,
)
from recognition.tests.vectors import load_cases

# Resizing differs by a grey level (2 / 255) between versions of OpenCV.
GREY_LEVEL = 0.02


def drawn_crop(seed):
    """The crop that the recording describes in words."""
    noise = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), np.uint8)
    return cv2.resize(noise, (112, 112), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("case", load_cases("embedder_input"))
@pytest.mark.parametrize(
    ("embedder", "network_input"),
    [("facenet", facenet_input), ("arcface", arcface_input)],
)
def test_network_input_is_as_recorded(case, embedder, network_input):
    expected = case[embedder]

    (values,) = network_input(drawn_crop(case["seed"])[np.newaxis])

    assert values.dtype == np.float32
    assert list(values.shape) == expected["shape"]
    assert values.mean() == pytest.approx(expected["mean"], abs=GREY_LEVEL)
    for row, column, colour in expected["at"]:
        assert_allclose(values[row, column], colour, atol=GREY_LEVEL)


def test_each_crop_of_a_batch_is_treated_alone():
    crops = np.stack([drawn_crop(1), drawn_crop(2), drawn_crop(3)])

    batch = facenet_input(crops)

    assert batch.shape == (3, 160, 160, 3)
    for values, crop in zip(batch, crops, strict=True):
        assert_array_equal(values, facenet_input(crop[np.newaxis])[0])


def test_an_empty_batch_gives_an_empty_input():
    crops = np.zeros((0, 112, 112, 3), np.uint8)

    assert facenet_input(crops).shape == (0, 160, 160, 3)
    assert arcface_input(with_mirrors(crops)).shape == (0, 112, 112, 3)


def test_a_crop_that_is_not_square_is_centred_on_black():
    white = np.full((80, 40, 3), 255, np.uint8)

    (values,) = facenet_input([white])

    assert_array_equal(values[:, :40], -1)
    assert_array_equal(values[:, 40:120], 1)
    assert_array_equal(values[:, 120:], -1)


def test_mirrors_follow_the_crops_and_leave_them_as_they_were():
    crops = np.stack([drawn_crop(1), drawn_crop(2)])

    rows = with_mirrors(crops)

    assert_array_equal(rows[:2], crops)
    assert_array_equal(rows[2], cv2.flip(crops[0], 1))
    assert_array_equal(rows[3], cv2.flip(crops[1], 1))


def test_the_mean_over_mirrors_is_plain_arithmetic():
    embeddings = np.array([[1, 0], [10, 20], [3, 0], [30, 0]], np.float32)

    mean = mean_over_mirrors(embeddings)

    assert mean.dtype == np.float32
    assert_array_equal(mean, [[2, 0], [20, 10]])
