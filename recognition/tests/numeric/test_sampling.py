"""Sampling points, pinned to what was recorded."""

import math

import numpy as np
import pytest

from recognition.numeric.sampling import frame_timestamps
from recognition.tests.vectors import load_cases


@pytest.mark.parametrize("case", load_cases("frame_timestamps"))
def test_points_are_those_recorded(case):
    points = frame_timestamps(
        case["duration_seconds"],
        case["num_frames"],
        start=case["start_offset_pct"],
        end=case["end_offset_pct"],
    )

    # The recording has six digits.
    np.testing.assert_allclose(points, case["timestamps"], rtol=0, atol=6e-7)


def test_titles_and_credits_are_left_out_unless_asked_for():
    assert frame_timestamps(100, 3) == [5, 50, 95]


@pytest.mark.parametrize("duration", [-1, math.nan, math.inf])
def test_what_is_no_duration_is_refused(duration):
    with pytest.raises(ValueError, match="no duration"):
        frame_timestamps(duration, 5)


@pytest.mark.parametrize("count", [0, -3])
def test_no_frames_are_no_number_of_frames(count):
    with pytest.raises(ValueError, match="no number of frames"):
        frame_timestamps(60, count)


@pytest.mark.parametrize(("start", "end"), [(0.6, 0.5), (-0.1, 1), (0, 1.1)])
def test_what_is_no_range_is_refused(start, end):
    with pytest.raises(ValueError, match="no range"):
        frame_timestamps(60, 5, start=start, end=end)
