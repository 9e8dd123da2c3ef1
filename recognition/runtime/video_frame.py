"""One frame as a player shows it: upright RGB with square pixels, perhaps smaller."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation

from recognition.numeric.arrays import RgbImage

# FFmpeg's number for "the stream does not say"; players then go by the height.
_UNSPECIFIED_COLORSPACE = 2
_HIGH_DEFINITION_PX = 720

# Anamorphic films are at most 2.35 times as wide as their pixels; what says more is
# damaged, and obeying it would cost any amount of memory.
_MAX_PIXEL_RATIO = 4

_SQUARE: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame and when it is shown, in seconds from the start of the video.

    `scale` is the image's size divided by the size the video is shown at: a box found
    in the image is divided by it to get a box in the video.
    """

    seconds: float
    image: RgbImage
    scale: float


def rgb_image(
    frame: av.VideoFrame, *, pixel_ratio: Fraction | None, max_side_px: int | None
) -> tuple[RgbImage, float]:
    """Return the frame's pixels as shown, and the scale they were brought to.

    `pixel_ratio` is the width of a pixel divided by its height. Where it is not 1 the
    shorter side is stretched, so that no pixel is lost.
    """
    shown_width, shown_height = shown_size(frame.width, frame.height, pixel_ratio)
    scale = min(1.0, (max_side_px or np.inf) / max(shown_width, shown_height))
    is_shrunk = scale < 1
    high = frame.height >= _HIGH_DEFINITION_PX
    unspecified = frame.colorspace == _UNSPECIFIED_COLORSPACE
    converted = frame.reformat(
        width=max(1, round(shown_width * scale)),
        height=max(1, round(shown_height * scale)),
        format="rgb24",
        src_colorspace=(Colorspace.ITU709 if high else Colorspace.ITU601)
        if unspecified
        else None,
        interpolation=Interpolation.AREA if is_shrunk else Interpolation.BILINEAR,
    )
    pixels = cast("RgbImage", converted.to_ndarray())
    return np.ascontiguousarray(_upright(pixels, _display_matrix(frame))), scale


def shown_size(
    width: int, height: int, pixel_ratio: Fraction | None
) -> tuple[int, int]:
    """Return width and height with square pixels, before any rotation."""
    ratio = pixel_ratio or _SQUARE
    if not Fraction(1, _MAX_PIXEL_RATIO) <= ratio <= _MAX_PIXEL_RATIO:
        ratio = _SQUARE
    if ratio >= 1:
        return round(width * ratio), height
    return width, round(height / ratio)


def _display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """Return how the picture's axes turn: (a, b, c, d) with x' = ax + cy, y' = bx + dy.

    It is a matrix of nine fixed-point numbers in the file; translation and perspective
    mean nothing to a single picture.
    """
    side_data = cast("dict[str, object]", frame.side_data).get("DISPLAYMATRIX")
    if side_data is None:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = np.frombuffer(bytes(cast("bytes", side_data)), np.int32)
    return int(a), int(b), int(c), int(d)


def _upright(pixels: RgbImage, matrix: tuple[int, int, int, int]) -> RgbImage:
    """Turn by the nearest quarter turn and mirror, as the matrix says."""
    a, b, c, d = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if d < 0 else pixels
