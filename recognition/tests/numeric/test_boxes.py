"""Face boxes: truncated towards zero, clipped to the picture."""

import math

import numpy as np
import pytest

from recognition.numeric.boxes import FaceBox, box_from_corners, clip_box


def test_corners_are_truncated_towards_zero_each():
    corners = np.array([-3.7, 10.9, 20.2, 30.99], np.float32)

    assert box_from_corners(*corners) == FaceBox(x=-3, y=10, width=23, height=20)


def test_a_box_is_made_of_plain_integers():
    box = box_from_corners(*np.array([1.5, 2.5, 3.5, 4.5], np.float32))

    assert all(type(side) is int for side in (box.x, box.y, box.width, box.height))


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        (FaceBox(10, 10, 20, 20), FaceBox(10, 10, 20, 20)),
        (FaceBox(-5, -6, 20, 20), FaceBox(0, 0, 15, 14)),
        (FaceBox(90, 40, 20, 20), FaceBox(90, 40, 10, 10)),
        (FaceBox(-10, -10, 200, 200), FaceBox(0, 0, 100, 50)),
        (FaceBox(-30, 10, 20, 20), FaceBox(0, 10, 0, 20)),
        (FaceBox(300, 10, 20, 20), FaceBox(100, 10, 0, 20)),
        (FaceBox(10, 10, -5, 20), FaceBox(10, 10, 0, 20)),
    ],
)
def test_clipping_keeps_what_lies_in_the_picture(box, clipped):
    assert clip_box(box, image_width=100, image_height=50) == clipped


def test_a_corner_at_infinity_is_merely_far_away():
    box = box_from_corners(-math.inf, 0, math.inf, 10)

    assert clip_box(box, image_width=100, image_height=50) == FaceBox(0, 0, 100, 10)


def test_a_corner_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        box_from_corners(math.nan, 0, 10, 10)
