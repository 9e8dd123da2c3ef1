"""What the embedders are shown, and how two views of a face become one embedding.

Both embedders were trained elsewhere and the published indices were built with
exactly these sides, roundings and scales.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from recognition.numeric.arrays import (
    AlignedCrops,
    Embeddings,
    NetworkInput,
    RgbImage,
)

FACENET_SIDE_PX = 160
ARCFACE_SIDE_PX = 112

# (x - 127.5) / scale: FaceNet's spans exactly -1 ... 1, ArcFace's does not quite.
_MID_GREY = np.float32(127.5)
_FACENET_SCALE = np.float32(127.5)
_ARCFACE_SCALE = np.float32(128)


def facenet_input(crops: AlignedCrops | Sequence[RgbImage]) -> NetworkInput:
    """Return crops as FaceNet512 takes them: N x 160 x 160 x 3."""
    return _scaled(_letterboxed(crops, side=FACENET_SIDE_PX), _FACENET_SCALE)


def arcface_input(crops: AlignedCrops | Sequence[RgbImage]) -> NetworkInput:
    """Return crops as ArcFace takes them: N x 112 x 112 x 3."""
    return _scaled(_letterboxed(crops, side=ARCFACE_SIDE_PX), _ARCFACE_SCALE)


def with_mirrors(crops: AlignedCrops) -> AlignedCrops:
    """Return the crops followed by their mirror images: 2N rows for N faces.

    Mirror first and resize afterwards, as the indices were built.
    """
    count = len(crops)
    rows = np.empty((2 * count, *crops.shape[1:]), dtype=np.uint8)
    rows[:count] = crops
    for crop, mirror in zip(crops, rows[count:], strict=True):
        cv2.flip(crop, 1, dst=mirror)
    return rows


def mean_over_mirrors(embeddings: Embeddings) -> Embeddings:
    """Return one embedding a face from the 2N rows that `with_mirrors` led to.

    The arithmetic mean and nothing more: no vector is normalised before or after.
    """
    faces = len(embeddings) // 2
    mean: Embeddings = (embeddings[:faces] + embeddings[faces:]) / np.float32(2)
    return mean


def _letterboxed(
    crops: AlignedCrops | Sequence[RgbImage], *, side: int
) -> AlignedCrops:
    """Return the crops resized with their aspect kept, centred on black squares."""
    squares = np.zeros((len(crops), side, side, 3), dtype=np.uint8)
    for crop, square in zip(crops, squares, strict=True):
        height, width = crop.shape[:2]
        ratio = side / max(height, width)
        new_width = max(1, int(width * ratio))
        new_height = max(1, int(height * ratio))
        left, top = (side - new_width) // 2, (side - new_height) // 2
        if (new_height, new_width) != (height, width):
            crop = cv2.resize(
                crop, (new_width, new_height), interpolation=cv2.INTER_AREA
            )
        square[top : top + new_height, left : left + new_width] = crop
    return squares


def _scaled(squares: AlignedCrops, scale: np.float32) -> NetworkInput:
    network_input: NetworkInput = squares.astype(np.float32)
    network_input -= _MID_GREY
    network_input /= scale
    return network_input
