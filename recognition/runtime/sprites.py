"""Frames from the sprite sheet that Stash made of a scene: small, but at no cost.

One picture holds them all, so nothing of the video is read. Faces are a few pixels
wide; whether that will do is for the caller to know.
"""

from collections.abc import Iterator

import numpy as np

from recognition.exceptions import UnreadableVideo
from recognition.numeric.arrays import RgbImage
from recognition.numeric.sprite_sheet import (
    BadSpriteSheet,
    SpriteCell,
    read_sprite_cells,
)
from recognition.runtime.video_frame import VideoFrame


def iter_sprite_frames(
    vtt_text: str, sheet: RgbImage, *, duration_seconds: float | None, count: int
) -> Iterator[VideoFrame]:
    """Return `count` frames of the sheet, evenly spread, or all if there are fewer.

    Their times are corrected: Stash takes frame i at i / cues of the duration and
    writes a little less into the VTT, which is believed only where the duration is not
    known. Raises UnreadableVideo at once if VTT and sheet do not belong together.
    """
    if count < 1:
        raise ValueError(f"{count} is no number of frames; at least 1 is needed")
    height, width = sheet.shape[:2]
    try:
        cells = read_sprite_cells(vtt_text, sheet_width=width, sheet_height=height)
    except BadSpriteSheet as exc:
        raise UnreadableVideo(f"The sprite sheet is of no use: {exc}.") from exc
    return _iter_cells(cells, sheet, duration_seconds=duration_seconds, count=count)


def _iter_cells(
    cells: list[SpriteCell],
    sheet: RgbImage,
    *,
    duration_seconds: float | None,
    count: int,
) -> Iterator[VideoFrame]:
    for number in _evenly(len(cells), count):
        cell = cells[number]
        seconds = cell.cue_seconds
        if duration_seconds:
            seconds = number * duration_seconds / len(cells)
        rows, columns = (
            slice(cell.y, cell.y + cell.height),
            slice(cell.x, cell.x + cell.width),
        )
        # A view would keep the whole sheet for as long as any frame of it.
        yield VideoFrame(seconds, sheet[rows, columns].copy(), scale=1.0)


def _evenly(total: int, count: int) -> list[int]:
    """Return positions from the first to the last; the middle one if one is asked."""
    if count == 1:
        return [total // 2]
    return [round(x) for x in np.linspace(0, total - 1, min(count, total))]
