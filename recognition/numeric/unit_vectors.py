"""Directions: embeddings and their means with length 1, whatever comes in."""

import numpy as np
from numpy.typing import NDArray


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the rows with length 1; zero where a row has no direction."""
    return unit_rows_and_lengths(rows)[0]


def unit_rows_and_lengths(
    rows: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the rows with length 1, and the lengths they had.

    Both are zero for a row that has no direction: it is zero, or not finite.
    """
    # float64, for the squares of large values.
    exact = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0.0)
    exact = exact.astype(np.float64)
    lengths: NDArray[np.float64] = np.linalg.norm(exact, axis=1)
    unit = exact / np.where(lengths > 0, lengths, 1)[:, np.newaxis]
    return unit.astype(np.float32), lengths
