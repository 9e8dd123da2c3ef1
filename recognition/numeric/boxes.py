"""Face boxes in whole pixels: how a detector's become ours, and stay in the picture."""

from dataclasses import dataclass
from typing import SupportsFloat

# Far outside any picture, and safe to add and subtract.
_FARTHEST_PX = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A rectangle in pixels; `x`, `y` is the corner nearest the picture's origin."""

    x: int
    y: int
    width: int
    height: int


def box_from_corners(
    left: SupportsFloat,
    top: SupportsFloat,
    right: SupportsFloat,
    bottom: SupportsFloat,
) -> FaceBox:
    """Return a detector's box with each corner truncated towards zero.

    Not clipped: a face at the edge keeps its true size for size filters. Raises
    ValueError for a corner that is not a number.
    """
    x, y = _truncated(left), _truncated(top)
    return FaceBox(x, y, _truncated(right) - x, _truncated(bottom) - y)


def clip_box(box: FaceBox, *, image_width: int, image_height: int) -> FaceBox:
    """Return the part of the box that lies in the picture, possibly without area."""
    left = min(max(box.x, 0), image_width)
    top = min(max(box.y, 0), image_height)
    right = min(max(box.x + box.width, left), image_width)
    bottom = min(max(box.y + box.height, top), image_height)
    return FaceBox(left, top, right - left, bottom - top)


def _truncated(corner: SupportsFloat) -> int:
    return int(min(max(float(corner), -_FARTHEST_PX), _FARTHEST_PX))
