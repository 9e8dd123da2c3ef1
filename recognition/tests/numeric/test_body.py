"""Body proportions, against the recorded cases and in pictures that are not square."""

import numpy as np
import pytest

from recognition.numeric.body import (
    REQUIRED_LANDMARKS,
    body_multiplier,
    body_ratios,
    faces_of_noses,
)
from recognition.numeric.boxes import FaceBox
from recognition.tests.vectors import load_cases

LANDMARKS = {
    "nose": 0,
    "left_shoulder": 11,
    "right_shoulder": 12,
    "left_wrist": 15,
    "right_wrist": 16,
    "left_hip": 23,
    "right_hip": 24,
    "left_ankle": 27,
    "right_ankle": 28,
}


def pose(points, visibility=1.0):
    """A pose of named points, as shares of the picture; others are hidden at 0."""
    landmarks = np.zeros((33, 3))
    for name, point in points.items():
        landmarks[LANDMARKS[name]] = (*point, visibility)
    return landmarks


def ratios_of(landmarks, *, image_width=600, image_height=600):
    """Ratios, in a square picture unless said otherwise."""
    return body_ratios(landmarks, image_width=image_width, image_height=image_height)


def standing(*, image_width, image_height):
    """Somebody of one size in pixels, whatever the picture they stand in."""
    pixels = {
        "nose": (300, 100),
        "left_shoulder": (360, 180),
        "right_shoulder": (240, 180),
        "left_wrist": (420, 330),
        "right_wrist": (180, 330),
        "left_hip": (340, 340),
        "right_hip": (260, 340),
        "left_ankle": (335, 580),
        "right_ankle": (265, 580),
    }
    return pose(
        {name: (x / image_width, y / image_height) for name, (x, y) in pixels.items()}
    )


@pytest.mark.parametrize("case", load_cases("body_ratios"))
def test_ratios_in_a_square_picture_are_as_recorded(case):
    ratios = ratios_of(pose(case["landmarks"]), image_width=640, image_height=640)

    # Recorded to six decimals, from landmarks of six decimals.
    assert ratios.shoulder_hip == pytest.approx(case["shoulder_hip_ratio"], abs=2e-5)
    assert ratios.leg_torso == pytest.approx(case["leg_torso_ratio"], abs=2e-5)
    assert ratios.arm_span_height == pytest.approx(
        case["arm_span_height_ratio"], abs=2e-5
    )


@pytest.mark.parametrize("size", [(600, 600), (1920, 1080), (1080, 1920)])
def test_a_body_has_the_same_proportions_in_portrait_and_landscape(size):
    # A departure: the recording takes shares of width and height for one unit.
    width, height = size

    ratios = ratios_of(
        standing(image_width=width, image_height=height),
        image_width=width,
        image_height=height,
    )

    assert ratios.shoulder_hip == pytest.approx(120 / 80)
    assert ratios.leg_torso == pytest.approx(240 / 160)
    assert ratios.arm_span_height == pytest.approx(240 / 480)


@pytest.mark.parametrize("hidden", REQUIRED_LANDMARKS)
def test_whoever_is_partly_hidden_has_no_ratios(hidden):
    landmarks = standing(image_width=600, image_height=600)
    landmarks[hidden, 2] = 0.29

    assert ratios_of(landmarks, image_width=600, image_height=600) is None


def test_landmarks_that_are_no_numbers_give_no_ratios():
    landmarks = standing(image_width=600, image_height=600)
    landmarks[23, 0] = np.nan

    assert ratios_of(landmarks, image_width=600, image_height=600) is None


def test_confidence_is_the_mean_visibility_of_what_is_measured():
    landmarks = standing(image_width=600, image_height=600)
    landmarks[0, 2] = 0.55

    ratios = ratios_of(landmarks, image_width=600, image_height=600)

    assert ratios.confidence == pytest.approx((8 + 0.55) / 9)


def test_hips_on_one_point_have_no_ratio_and_speak_against_nobody():
    landmarks = standing(image_width=600, image_height=600)
    landmarks[24] = landmarks[23]

    ratios = ratios_of(landmarks, image_width=600, image_height=600)

    assert ratios.shoulder_hip == 0
    assert body_multiplier(ratios.shoulder_hip, 1.5) == 1


@pytest.mark.parametrize("case", load_cases("body_multiplier"))
def test_the_multiplier_is_as_recorded(case):
    multiplier = body_multiplier(
        case["probe_shoulder_hip"], case["candidate_shoulder_hip"]
    )

    assert multiplier == case["multiplier"]


def test_a_nose_belongs_to_the_face_it_is_in():
    left, right = FaceBox(100, 100, 60, 80), FaceBox(400, 100, 60, 80)

    assert faces_of_noses([(430, 145), (128, 150)], [left, right]) == [1, 0]


def test_a_nose_beside_every_face_is_nobodys():
    # Somebody seen from behind or cut off: the face detector did not see them.
    assert faces_of_noses([(300, 140)], [FaceBox(100, 100, 60, 80)]) == [None]


def test_a_face_has_one_nose_and_the_nearer_gets_it():
    face = FaceBox(100, 100, 60, 80)

    assert faces_of_noses([(150, 140), (131, 141)], [face]) == [None, 0]


def test_two_cheek_to_cheek_get_a_body_each():
    faces = [FaceBox(100, 100, 60, 60), FaceBox(150, 100, 60, 60)]

    assert faces_of_noses([(142, 130), (150, 130)], faces) == [0, 1]
