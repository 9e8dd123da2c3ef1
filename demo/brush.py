"""Strokes in sub-pixel coordinates on an RGB picture: thin wrappers round cv2."""

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.geometry import Points
from demo.identity import Rgb

Picture = NDArray[np.uint8]

_SHIFT = 4
_SCALE = 1 << _SHIFT


def shaded(colour: Rgb, factor: float) -> Rgb:
    """Return the colour darker (factor < 1) or lighter (factor > 1)."""
    red, green, blue = (int(min(255, value * factor)) for value in colour)
    return red, green, blue


def mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return `share` of the second colour in the first."""
    red, green, blue = (
        int(a * (1 - share) + b * share) for a, b in zip(first, second, strict=True)
    )
    return red, green, blue


def fill(picture: Picture, points: Points, colour: Rgb) -> None:
    cv2.fillPoly(picture, [_fixed(points)], colour, cv2.LINE_AA, _SHIFT)


def stroke(
    picture: Picture,
    points: Points,
    colour: Rgb,
    *,
    width_px: float,
    is_closed: bool = False,
) -> None:
    width = max(1, round(width_px))
    cv2.polylines(
        picture, [_fixed(points)], is_closed, colour, width, cv2.LINE_AA, _SHIFT
    )


def dot(picture: Picture, centre: Points, colour: Rgb, *, radius_px: float) -> None:
    x, y = np.rint(centre * _SCALE).astype(int)
    radius = max(1, round(radius_px * _SCALE))
    cv2.circle(
        picture, (int(x), int(y)), radius, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT
    )


def glaze(picture: Picture, points: Points, colour: Rgb, *, opacity: float) -> None:
    """Fill with a transparent colour."""
    window = _window(picture, points)
    if window is None:
        return
    part, offset = window
    painted = part.copy()
    fill(painted, points - offset, colour)
    cv2.addWeighted(painted, opacity, part, 1 - opacity, 0, dst=part)


def fill_within(
    picture: Picture, points: Points, colour: Rgb, *, border: Points
) -> None:
    """Fill only what also lies inside the border."""
    window = _window(picture, border)
    if window is None:
        return
    part, offset = window
    painted = part.copy()
    fill(painted, points - offset, colour)
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_fixed(border - offset)], 255, cv2.LINE_8, _SHIFT)
    cv2.copyTo(painted, mask, part)


def ellipse_points(
    centre: tuple[float, float],
    half_width: float,
    half_height: float,
    *,
    count: int = 16,
) -> Points:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack(
        [
            centre[0] + half_width * np.cos(angles),
            centre[1] + half_height * np.sin(angles),
        ],
        axis=1,
    )


def _window(picture: Picture, points: Points) -> tuple[Picture, Points] | None:
    height, width = picture.shape[:2]
    left, top = np.maximum(0, np.floor(points.min(axis=0)).astype(int) - 1)
    right = min(width, int(points[:, 0].max()) + 2)
    bottom = min(height, int(points[:, 1].max()) + 2)
    if right <= left or bottom <= top:
        return None
    return picture[top:bottom, left:right], np.array([left, top], dtype=np.float64)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.rint(points * _SCALE).astype(np.int32)
