"""One frame as a player shows it: upright RGB with square pixels, perhaps smaller."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias, cast

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from recognition.numeric.arrays import RgbImage

# FFmpeg's number for "the stream does not say"; players then go by the size.
_UNSPECIFIED_COLORSPACE = 2
_HIGH_DEFINITION_WIDTH_PX = 1280
_STANDARD_DEFINITION_HEIGHT_PX = 576

# Anamorphic films are at most 2.35 times as wide as their pixels; what says more is
# damaged, and obeying it would cost any amount of memory.
_MAX_PIXEL_RATIO = 4

_SQUARE: Final = Fraction(1)

# How a picture's axes turn: (a, b, c, d) with x' = ax + cy, y' = bx + dy.
_Matrix: TypeAlias = tuple[int, int, int, int]
_UNTURNED: Final[_Matrix] = (1, 0, 0, 1)


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame and when it is shown, in seconds from the start of the video.

    `scale` is the image's size divided by the size the video is shown at: a box found
    in the image is divided by it to get a box in the video.
    """

    seconds: float
    image: RgbImage
    scale: float


class FrameConverter:
    """Makes pictures of decoded frames, all of one video."""

    def __init__(self, *, max_side_px: int | None) -> None:
        self._max_side_px = max_side_px
        self._reformatter = VideoReformatter()
        self._rotation: int | None = None
        self._matrix = _UNTURNED

    def rgb_image(
        self, frame: av.VideoFrame, *, pixel_ratio: Fraction | None
    ) -> tuple[RgbImage, float]:
        """Return the frame's pixels as shown, and the scale they were brought to.

        `pixel_ratio` is the width of a pixel divided by its height. Where it is not 1
        the shorter side is stretched, so that no pixel is lost.
        """
        width, height = shown_size(frame.width, frame.height, pixel_ratio)
        scale = min(1.0, (self._max_side_px or np.inf) / max(width, height))
        converted = self._reformatter.reformat(
            frame,
            width=max(1, round(width * scale)),
            height=max(1, round(height * scale)),
            format="rgb24",
            src_colorspace=_guessed_colorspace(frame),
            interpolation=Interpolation.AREA if scale < 1 else Interpolation.BILINEAR,
        )
        pixels = cast("RgbImage", converted.to_ndarray())
        return np.ascontiguousarray(_upright(pixels, self._matrix_of(frame))), scale

    def _matrix_of(self, frame: av.VideoFrame) -> _Matrix:
        # Looking at a frame's side data ties both into a cycle, which keeps the frame
        # until the garbage is collected; so it is looked at when something changed.
        if self._rotation != frame.rotation:
            self._rotation, self._matrix = frame.rotation, _display_matrix(frame)
        return self._matrix


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


def _guessed_colorspace(frame: av.VideoFrame) -> Colorspace | None:
    """Return what a player takes a stream for that does not say; None if it does."""
    if frame.colorspace != _UNSPECIFIED_COLORSPACE:
        return None
    is_high = (
        frame.width >= _HIGH_DEFINITION_WIDTH_PX
        or frame.height > _STANDARD_DEFINITION_HEIGHT_PX
    )
    return Colorspace.ITU709 if is_high else Colorspace.ITU601


def _display_matrix(frame: av.VideoFrame) -> _Matrix:
    """Return the matrix in the file, without translation and perspective."""
    side_data = cast("dict[str, object]", frame.side_data).get("DISPLAYMATRIX")
    if side_data is None:
        return _UNTURNED
    a, b, _, c, d, *_ = np.frombuffer(bytes(cast("bytes", side_data)), np.int32)
    return int(a), int(b), int(c), int(d)


def _upright(pixels: RgbImage, matrix: _Matrix) -> RgbImage:
    """Turn by the nearest quarter turn and mirror, as the matrix says."""
    a, b, c, d = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if d < 0 else pixels
