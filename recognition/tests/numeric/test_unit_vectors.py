"""Rows of length 1, and what has no direction."""

import numpy as np
import pytest

from recognition.numeric.unit_vectors import unit_rows, unit_rows_and_lengths


def test_rows_keep_their_direction_and_tell_their_length():
    unit, lengths = unit_rows_and_lengths(np.array([[3.0, 4.0], [0.0, 2.0]]))

    np.testing.assert_allclose(unit, [[0.6, 0.8], [0.0, 1.0]], atol=1e-7)
    np.testing.assert_allclose(lengths, [5.0, 2.0])
    assert unit.dtype == np.float32


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_row_without_a_direction_is_zero_and_harms_no_other(value):
    rows = np.array([[value, value], [0.0, 2.0]], dtype=np.float32)

    unit, lengths = unit_rows_and_lengths(rows)

    assert unit.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert lengths.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_that_single_precision_cannot_hold_are_no_hindrance(scale):
    rows = (np.array([[3.0, 4.0]]) * scale).astype(np.float32)

    np.testing.assert_allclose(unit_rows(rows), [[0.6, 0.8]], rtol=1e-6)


def test_no_rows_are_no_rows():
    assert unit_rows(np.empty((0, 512), dtype=np.float32)).shape == (0, 512)
