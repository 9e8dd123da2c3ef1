"""Reading the VTT file that says where the frames lie in a sprite sheet.

Stash writes one cue for each frame, in the order of the scene. Their number, size and
grid are settings of Stash, and sheets made before a change stay as they are: all of it
is read, nothing assumed. The file's name for the sheet is compared, never opened.
"""

import re
from dataclasses import dataclass
from typing import Final

# Stash writes some 90 bytes a cue and at most 529 cues.
MAX_VTT_CHARACTERS = 400_000
MAX_CUES = 1_000

_CLOCK: Final = r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING: Final = re.compile(rf"{_CLOCK}[ \t]+-->[ \t]+{_CLOCK}(?:[ \t].*)?", re.ASCII)
_PLACE: Final = re.compile(
    r"([^#]*)#xywh=(?:pixel:)?(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})", re.ASCII
)


class BadSpriteSheet(ValueError):
    """The VTT is none, or is not about this sheet; the message says why."""


@dataclass(frozen=True, slots=True)
class SpriteCell:
    """Where a frame lies in the sheet, and the cue's time, which Stash has early."""

    x: int
    y: int
    width: int
    height: int
    cue_seconds: float


def read_sprite_cells(
    vtt_text: str, *, sheet_width: int, sheet_height: int
) -> list[SpriteCell]:
    """Return the cells in the order of the scene, all of one size and in the sheet."""
    if len(vtt_text) > MAX_VTT_CHARACTERS:
        raise BadSpriteSheet(f"the VTT has more than {MAX_VTT_CHARACTERS} characters")
    lines = vtt_text.removeprefix("\ufeff").splitlines()
    if not lines or not lines[0].startswith("WEBVTT"):
        raise BadSpriteSheet("the file does not begin with WEBVTT")
    cues = _cues(lines)
    cells = [cell for _, cell in cues]
    if len({name for name, _ in cues}) > 1:
        raise BadSpriteSheet("the VTT names more than one sheet")
    if len({(cell.width, cell.height) for cell in cells}) > 1:
        raise BadSpriteSheet("the frames have different sizes")
    for number, cell in enumerate(cells):
        _check_place(number, cell, sheet_width, sheet_height)
    if len({(cell.x, cell.y) for cell in cells}) < len(cells):
        raise BadSpriteSheet("two frames have the same place")
    return cells


def _cues(lines: list[str]) -> list[tuple[str, SpriteCell]]:
    """Return the sheet's name and the cell of each cue."""
    cues: list[tuple[str, SpriteCell]] = []
    for number, line in enumerate(lines):
        if "-->" not in line:
            continue
        timing = _TIMING.fullmatch(line.strip())
        payload = lines[number + 1].strip() if number + 1 < len(lines) else ""
        place = _PLACE.fullmatch(payload)
        if timing is None or place is None:
            raise BadSpriteSheet(f"cue {len(cues) + 1} is not a time and a place")
        if len(cues) == MAX_CUES:
            raise BadSpriteSheet(f"the VTT has more than {MAX_CUES} cues")
        hours, minutes, seconds, millis = (
            int(part or 0) for part in timing.groups()[:4]
        )
        start = 3600 * hours + 60 * minutes + seconds + millis / 1000
        x, y, width, height = map(int, place.groups()[1:])
        cues.append((place[1], SpriteCell(x, y, width, height, cue_seconds=start)))
    if not cues:
        raise BadSpriteSheet("the VTT has no cues")
    return cues


def _check_place(
    number: int, cell: SpriteCell, sheet_width: int, sheet_height: int
) -> None:
    right, bottom = cell.x + cell.width, cell.y + cell.height
    if cell.width < 1 or cell.height < 1:
        raise BadSpriteSheet(f"frame {number + 1} has no pixels")
    if right > sheet_width or bottom > sheet_height:
        raise BadSpriteSheet(
            f"frame {number + 1} reaches to {right} x {bottom}, "
            f"the sheet has {sheet_width} x {sheet_height}"
        )
