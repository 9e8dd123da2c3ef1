"""One number to choose a face's best crop by."""

import pytest

from recognition.numeric.boxes import FaceBox
from recognition.numeric.quality import face_quality


def quality(width, height, confidence):
    return face_quality(FaceBox(3, 4, width, height), confidence)


def test_a_large_and_sure_face_is_perfect():
    assert quality(112, 112, 1.0) == quality(900, 700, 1.0) == 1.0


def test_a_larger_and_a_surer_face_is_better():
    assert quality(40, 40, 0.9) < quality(80, 80, 0.9) < quality(112, 112, 0.9)
    assert quality(80, 80, 0.5) < quality(80, 80, 0.9)


def test_the_shorter_side_decides():
    assert quality(40, 400, 0.8) == quality(40, 40, 0.8) == quality(40, 60, 0.8)


@pytest.mark.parametrize("size_px", [-5, 0, 1, 10**9])
@pytest.mark.parametrize("confidence", [-1.0, 0.0, 1.7, float("nan"), float("inf")])
def test_quality_is_a_share_whatever_the_detector_says(size_px, confidence):
    assert 0 <= quality(size_px, size_px, confidence) <= 1
