"""One number to choose a face's best crop by, and to weigh it with."""

import cv2
import numpy as np
import pytest

from recognition.numeric.boxes import FaceBox
from recognition.numeric.quality import (
    FaceView,
    face_quality,
    mirror_agreement,
    view_of,
    yaw_degrees,
)

SHARP = FaceView(sharpness=1e9, yaw_degrees=0.0)
FRONTAL = np.array([(40, 50), (70, 50), (55, 70), (42, 90), (68, 90)], float)


def quality(width, height, confidence, *, view=SHARP, agreement=1.0):
    box = FaceBox(3, 4, width, height)
    return face_quality(box, confidence, view=view, agreement=agreement)


def test_a_large_sharp_and_sure_face_is_perfect():
    assert quality(112, 112, 1.0) == pytest.approx(1.0)
    assert quality(900, 700, 1.0) == pytest.approx(1.0)


def test_a_larger_and_a_surer_face_is_better():
    assert quality(40, 40, 0.9) < quality(80, 80, 0.9) < quality(112, 112, 0.9)
    assert quality(80, 80, 0.5) < quality(80, 80, 0.9)


def test_the_shorter_side_decides():
    assert quality(40, 400, 0.8) == quality(40, 40, 0.8) == quality(40, 60, 0.8)


def test_a_blurred_face_is_worth_less_than_the_same_face_in_focus():
    noise = np.random.default_rng(4).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    crop = cv2.resize(noise, (112, 112), interpolation=cv2.INTER_CUBIC)
    views = [view_of(cv2.GaussianBlur(crop, (0, 0), s), FRONTAL) for s in (0.3, 1, 3)]

    worth = [quality(112, 112, 1, view=view) for view in views]

    assert worth == sorted(worth, reverse=True)
    assert worth[0] > 0.8
    assert worth[2] < 0.5


def test_a_face_turned_away_is_worth_less():
    turned = FRONTAL.copy()
    turned[2, 0] += 12

    assert yaw_degrees(FRONTAL) == pytest.approx(0)
    assert 30 < yaw_degrees(turned) < 60
    view = FaceView(sharpness=1e9, yaw_degrees=yaw_degrees(turned))
    assert 0.4 < quality(112, 112, 1, view=view) < 0.9


def test_a_head_held_at_a_slant_is_not_turned():
    angle = np.radians(25)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])

    assert yaw_degrees(FRONTAL @ turn) == pytest.approx(0, abs=1e-9)


def test_a_face_that_is_somebody_else_in_the_mirror_is_worth_little():
    face, other = np.eye(4, dtype=np.float32)[:2]

    same, strange, nothing = mirror_agreement(
        np.stack([face, face, 0 * face]), np.stack([2 * face, other, face])
    )

    assert (same, strange, nothing) == (1, 0, 0)
    assert quality(112, 112, 1, agreement=strange) < 0.2 * quality(112, 112, 1)


@pytest.mark.parametrize("size_px", [-5, 0, 1, 10**9])
@pytest.mark.parametrize("value", [-1.0, 0.0, 1.7, float("nan"), float("inf")])
def test_quality_is_a_share_whatever_it_is_made_of(size_px, value):
    assert 0 <= quality(size_px, size_px, value) <= 1
    assert 0 <= quality(size_px, size_px, 0.5, agreement=value) <= 1
    view = FaceView(sharpness=abs(value), yaw_degrees=170.0)
    assert 0 <= quality(size_px, size_px, 0.5, view=view) <= 1
