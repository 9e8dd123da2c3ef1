"""Sprite sheets, their VTT and the fingerprints, as Stash up to 0.30 makes them."""

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from demo.brush import Picture

SPRITE_COUNT = 81
SPRITE_COLUMNS = 9
SPRITE_WIDTH_PX = 160
_OSHASH_BYTES = 64 * 1024
_PHASH_COLUMNS = 5
_PHASH_SIDE = 8


def cell_size(width: int, height: int) -> tuple[int, int]:
    """Return a cell's width and its height, which is even."""
    return SPRITE_WIDTH_PX, 2 * round(SPRITE_WIDTH_PX * height / width / 2)


def sprite_indices(frame_count: int) -> list[int]:
    """Return which frames become cells: one at i * duration / 81 each."""
    return [i * frame_count // SPRITE_COUNT for i in range(SPRITE_COUNT)]


def shrink(frame: Picture, cell: tuple[int, int]) -> Picture:
    return np.asarray(cv2.resize(frame, cell, interpolation=cv2.INTER_AREA), np.uint8)


def join_cells(cells: Sequence[Picture], columns: int = SPRITE_COLUMNS) -> Picture:
    """Return one sheet, filled row by row."""
    rows = [
        np.concatenate(cells[first : first + columns], axis=1)
        for first in range(0, len(cells), columns)
    ]
    return np.ascontiguousarray(np.concatenate(rows, axis=0))


def sprite_vtt(
    scene_hash: str, *, cell: tuple[int, int], frame_count: int, fps: float
) -> str:
    """Return the cues; like those of Stash, their times are a little early."""
    step = frame_count // SPRITE_COUNT / fps
    lines = ["WEBVTT", ""]
    for index in range(SPRITE_COUNT):
        row, column = divmod(index, SPRITE_COLUMNS)
        times = f"{_stamp(index * step)} --> {_stamp((index + 1) * step)}"
        x, y = column * cell[0], row * cell[1]
        place = f"{scene_hash}_sprite.jpg#xywh={x},{y},{cell[0]},{cell[1]}"
        lines += [times, place, ""]
    return "\n".join(lines) + "\n"


def _stamp(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds / 1000:06.3f}"


def oshash(path: Path) -> str:
    """Return size and sums of both ends as 16 hexadecimal digits."""
    data = path.read_bytes()
    total = len(data)
    for part in (data[:_OSHASH_BYTES], data[-_OSHASH_BYTES:]):
        words = part.ljust(-(-len(part) // 8) * 8, b"\0")
        total += sum(struct.unpack(f"<{len(words) // 8}Q", words))
    return f"{total & 0xFFFFFFFFFFFFFFFF:016x}"


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def phash(cells: Sequence[Picture]) -> str:
    """Return 64 bits about 25 of the cells, without leading zeros as Stash has it."""
    picks = np.linspace(0.05, 0.95, _PHASH_COLUMNS**2) * len(cells)
    sheet = join_cells([cells[int(pick)] for pick in picks], _PHASH_COLUMNS)
    grey = cv2.resize(cv2.cvtColor(sheet, cv2.COLOR_RGB2GRAY), (64, 64))
    waves = cv2.dct(grey.astype(np.float32))[:_PHASH_SIDE, :_PHASH_SIDE].ravel()
    bits = waves > np.median(waves)
    return f"{int.from_bytes(np.packbits(bits).tobytes()):x}"
