"""Tattoos: what the networks are shown and answer, against the recorded cases."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recognition.numeric.boxes import FaceBox
from recognition.numeric.tattoos import (
    MAX_TATTOOS,
    Letterbox,
    TattooBox,
    best_similarities,
    crop_tattoo,
    decode_detections,
    detector_input,
    faces_of_tattoos,
    letterbox,
    tattoo_embedder_input,
    tattoo_multiplier,
)
from recognition.tests.vectors import load_cases

PADDING = (114, 114, 114)
# The picture fills the detector's square.
FILLED = Letterbox(ratio=1.0, left=0, top=0)


def grey(width, height, value=200):
    return np.full((height, width, 3), value, np.uint8)


def answer(*rows):
    """The detector's answer: rows of centre, size, objectness and class; the rest 0."""
    output = np.zeros((1, 25200, 6), np.float32)
    output[0, 100 : 100 + len(rows)] = rows
    return output


def decode(output, placed=FILLED, width=640, height=640):
    return decode_detections(output, placed, image_width=width, image_height=height)


@pytest.mark.parametrize("case", load_cases("tattoo_letterbox"))
def test_the_letterbox_is_as_recorded(case):
    ratio, (left, top) = case["rest"]

    square, placed = letterbox(grey(case["width"], case["height"]))

    assert list(square.shape) == case["shape"]
    assert placed.ratio == pytest.approx(ratio)
    assert (placed.left, placed.top) == (left, top)


@pytest.mark.parametrize(("width", "height"), [(100, 50), (1, 4000), (3, 3)])
def test_a_small_or_thin_picture_is_enlarged_and_padded_with_grey(width, height):
    square, placed = letterbox(grey(width, height))

    assert square.shape == (640, 640, 3)
    # The picture is in the middle; above and beside it is padding.
    assert tuple(square[320, 319]) == (200, 200, 200)
    assert placed.ratio == pytest.approx(640 / max(width, height))
    if placed.left or placed.top:
        assert tuple(square[0, 0]) == PADDING


def test_the_detector_sees_planes_of_shares():
    square = grey(640, 640)
    square[0, 1] = (255, 0, 51)

    values = detector_input(square)

    assert values.shape == (1, 3, 640, 640)
    assert values.dtype == np.float32
    assert_allclose(values[0, :, 0, 1], [1, 0, 0.2])


def test_boxes_come_back_as_shares_of_the_picture_the_surest_first():
    # 1280 x 640 lies in rows 160 … 480 of the square, at half its size.
    placed = Letterbox(ratio=0.5, left=0, top=160)
    output = answer((320, 320, 64, 32, 0.5, 0.8), (64, 176, 128, 32, 0.9, 0.9))

    surest, other = decode(output, placed, width=1280, height=640)

    assert (surest.x, surest.y, surest.width, surest.height) == pytest.approx(
        (0, 0, 0.2, 0.1)
    )
    assert surest.confidence == pytest.approx(0.81)
    assert (other.x, other.y, other.width, other.height) == pytest.approx(
        (0.45, 0.45, 0.1, 0.1)
    )
    assert other.confidence == pytest.approx(0.4)


def test_objectness_times_class_decides():
    output = answer((100, 100, 40, 40, 0.5, 0.49), (300, 300, 40, 40, 0.5, 0.51))

    (found,) = decode(output)

    assert found.confidence == pytest.approx(0.255)


def test_of_two_boxes_that_overlap_by_more_than_the_limit_the_surest_stays():
    same, beside = (104, 100, 40, 40, 0.8, 1), (118, 100, 40, 40, 0.7, 1)

    found = decode(answer((100, 100, 40, 40, 0.9, 1), same, beside))

    # 40 px squares 18 px apart share 38 %.
    assert [one.confidence for one in found] == pytest.approx([0.9, 0.7])


def test_boxes_are_clipped_and_those_in_the_padding_dropped():
    placed = Letterbox(ratio=1.0, left=0, top=160)
    output = answer((10, 165, 40, 40, 0.9, 1), (300, 60, 40, 40, 0.9, 1))

    (found,) = decode(output, placed, width=640, height=320)

    assert (found.x, found.y) == (0, 0)
    assert found.width == pytest.approx(30 / 640)
    assert found.height == pytest.approx(25 / 320)


def test_numbers_that_are_none_are_no_tattoo():
    output = answer((np.nan, 100, 40, 40, 0.9, 1), (100, 100, np.inf, 40, 0.9, 1))

    assert decode(output) == []


def test_a_detector_that_fires_everywhere_gives_a_bounded_number():
    output = np.zeros((1, 25200, 6), np.float32)
    grid = np.arange(25200)
    output[0, :, 0], output[0, :, 1] = 4 * (grid % 160), 4 * (grid // 160)
    output[0, :, 2:4] = 4
    output[0, :, 4], output[0, :, 5] = np.linspace(0.3, 0.9, 25200), 1

    found = decode(output)

    assert len(found) == MAX_TATTOOS
    assert found[0].confidence == pytest.approx(0.9)


def test_a_crop_has_a_tenth_of_the_tattoo_around_it():
    image = grey(1000, 1000)

    crop = crop_tattoo(image, TattooBox(0.5, 0.4, 0.1, 0.2, 0.9))

    assert crop.shape == (240, 120, 3)


@pytest.mark.parametrize(
    "tattoo",
    [
        TattooBox(0.0, 0.0, 1.0, 1.0, 0.9),
        TattooBox(0.999, 0.999, 0.001, 0.001, 0.9),
        TattooBox(0.5, 0.5, 1e-9, 1e-9, 0.9),
    ],
)
def test_a_crop_lies_in_the_picture_and_is_never_empty(tattoo):
    crop = crop_tattoo(grey(10, 20), tattoo)

    assert 1 <= crop.shape[0] <= 20
    assert 1 <= crop.shape[1] <= 10


def test_the_embedder_sees_the_middle_of_a_crop():
    crop = grey(512, 256, 0)
    # Of 512 x 256 the middle 224 x 224 are seen.
    crop[16:240, 144:368] = (255, 0, 0)

    values = tattoo_embedder_input(crop)

    assert values.shape == (1, 3, 224, 224)
    assert values.dtype == np.float32
    red = (np.array([1, 0, 0]) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert_allclose(
        values[0], np.broadcast_to(red[:, None, None], (3, 224, 224)), rtol=1e-5
    )


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 5000), (5000, 2), (640, 7)])
def test_a_crop_of_any_shape_can_be_shown(width, height):
    assert tattoo_embedder_input(grey(width, height)).shape == (1, 3, 224, 224)


def test_a_tattoo_belongs_to_the_nearest_face():
    left, right = FaceBox(100, 100, 60, 60), FaceBox(500, 100, 60, 60)
    tattoos = [TattooBox(x, 0.5, 0.02, 0.02, 0.9) for x in (0.2, 0.7)]

    owners = faces_of_tattoos(tattoos, [left, right], image_width=640, image_height=640)

    assert owners == [0, 1]


def test_a_tattoo_out_of_every_bodys_reach_is_nobodys():
    # A face of 20 px in the distance; the arm in front is somebody else's.
    far = FaceBox(40, 40, 20, 20)
    arm = TattooBox(0.7, 0.7, 0.1, 0.1, 0.9)

    owners = faces_of_tattoos([arm], [far], image_width=1280, image_height=720)

    assert owners == [None]


def test_a_small_face_far_behind_does_not_take_the_tattoo_of_who_is_in_front():
    front, behind = FaceBox(400, 50, 160, 200), FaceBox(900, 300, 12, 15)
    tattoo = TattooBox(0.45, 0.75, 0.1, 0.05, 0.9)

    owners = faces_of_tattoos(
        [tattoo], [behind, front], image_width=1280, image_height=720
    )

    assert owners == [1]


def test_the_most_alike_tattoo_counts_for_each_performer():
    found = best_similarities([("a:1", 0.4), ("a:1", 0.1), ("b:2", 1.6)])

    assert found == {"a:1": pytest.approx(0.9), "b:2": 0}


@pytest.mark.parametrize("case", load_cases("tattoo_multiplier"))
def test_the_multiplier_is_as_recorded(case):
    multiplier = tattoo_multiplier(
        detector_ran=case["detector_ran"],
        probe_has_tattoos=case["probe_has_tattoos"],
        similarity=case["similarity"],
        candidate_has_embeddings=case["candidate_has_embeddings"],
    )

    # Recorded to six decimals.
    assert multiplier == pytest.approx(case["multiplier"], abs=1e-6)
