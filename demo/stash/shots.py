"""Moving pictures of drawn people: one drawing for each shot, slowly moved over.

Drawing a head costs as much as a dozen frames, so a shot is a single drawing larger
than the frame, through which the frame wanders. Whoever is drawn is inside of every
frame of the shot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np

from demo.artist import draw_head, sample_sitting
from demo.backgrounds import draw_background
from demo.brush import Picture
from demo.camera import expose, sample_exposure
from demo.geometry import Placement
from demo.identity import Identity
from demo.seeds import Generator

# How much larger than the frame a drawing is; the frame wanders over the rest.
_MARGIN = 1.2
_GRAIN = 3.0


class ShotKind(Enum):
    PEOPLE = "people"
    TITLE = "title"
    BLANK = "blank"


@dataclass(frozen=True)
class Member:
    """One of a cast; `universal_id` is None for strangers, who have a number."""

    identity: Identity
    universal_id: str | None = None
    stranger: int | None = None


@dataclass(frozen=True)
class Shot:
    kind: ShotKind
    seconds: float
    cast: tuple[Member, ...] = ()
    seed: int = 0


def plan_shots(
    cast: Sequence[Member],
    rng: Generator,
    *,
    seconds: float,
    shot_seconds: tuple[float, float],
    title_seconds: float,
    has_blank: bool,
) -> list[Shot]:
    """Return shots of `seconds` in all, in which everybody comes up in turn."""
    shots = [Shot(ShotKind.TITLE, title_seconds)] if title_seconds else []
    left = seconds - title_seconds
    turn = 0
    while left > 0:
        length = min(left, round(float(rng.uniform(*shot_seconds)), 1))
        # A rest that is too short for a shot of its own belongs to this one.
        length = left if left - length < shot_seconds[0] else length
        if has_blank and turn and turn % 6 == 0:
            length = min(length, 1.5)
            shots.append(Shot(ShotKind.BLANK, length))
        else:
            first = cast[turn % len(cast)]
            second = cast[(turn + 1) % len(cast)]
            is_pair = len(cast) > 1 and rng.random() < 0.35
            seen = (first, second) if is_pair else (first,)
            shots.append(Shot(ShotKind.PEOPLE, length, seen, int(rng.integers(2**31))))
        turn += 1
        left = round(left - length, 3)
    return shots


def iter_frames(
    shots: Sequence[Shot], *, size: tuple[int, int], fps: int, title: str
) -> Iterator[Picture]:
    """Yield the frames; a shot lasts from its first to the next one's first."""
    begin = 0.0
    for shot in shots:
        end = begin + shot.seconds
        frame_count = round(end * fps) - round(begin * fps)
        yield from _iter_shot(shot, frame_count, size, title)
        begin = end


def _iter_shot(
    shot: Shot, frame_count: int, size: tuple[int, int], title: str
) -> Iterator[Picture]:
    width, height = size
    if shot.kind is not ShotKind.PEOPLE:
        card = np.zeros((height, width, 3), np.uint8)
        if shot.kind is ShotKind.TITLE:
            _write_title(card, title)
        for _ in range(frame_count):
            yield card
        return
    rng = np.random.default_rng(shot.seed)
    picture = draw_still(
        [member.identity for member in shot.cast],
        rng,
        size=(round(width * _MARGIN), round(height * _MARGIN)),
    )
    windows = _windows(rng, frame_count)
    grain = (rng.standard_normal((2 * height, 2 * width, 1)) * _GRAIN).astype(np.int16)
    grain = np.repeat(grain, 3, axis=2)
    for left, top, zoom in windows:
        move = np.array([[zoom, 0, left * width], [0, zoom, top * height]])
        frame = cv2.warpAffine(
            picture, move, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        x, y = int(rng.integers(width)), int(rng.integers(height))
        noise = grain[y : y + height, x : x + width]
        yield np.asarray(cv2.add(frame, noise, dtype=cv2.CV_8U), np.uint8)


def _windows(rng: Generator, frame_count: int) -> Iterator[tuple[float, float, float]]:
    """Yield left, top and zoom of the frame in the drawing, in frame sizes."""
    zooms = rng.uniform(1.05, _MARGIN, 2)
    slack = _MARGIN - zooms
    corners = rng.uniform(0, 1, (2, 2)) * slack[:, None]
    for share in np.linspace(0, 1, max(1, frame_count)):
        zoom = zooms[0] * (1 - share) + zooms[1] * share
        left, top = corners[0] * (1 - share) + corners[1] * share
        yield float(left), float(top), float(zoom)


def draw_still(
    identities: Sequence[Identity], rng: Generator, *, size: tuple[int, int]
) -> Picture:
    """Draw nobody, one or a few people near the middle, without grain."""
    width, height = size
    picture = draw_background(rng, width=width, height=height)
    slot = width * 0.72 / max(1, len(identities))
    unit = min(slot / 2.9, height / 5.2) * float(rng.uniform(0.75, 1.0))
    for index, identity in enumerate(identities):
        slack = max(0.0, slot - 2.9 * unit) / 2
        x = width * 0.14 + (index + 0.5) * slot + float(rng.uniform(-1, 1)) * slack
        y = height * 0.47 + float(rng.uniform(-0.3, 0.3)) * unit
        draw_head(picture, identity, sample_sitting(rng), Placement(x, y, unit))
    exposure = sample_exposure(rng, sharpness_px=unit * 0.02)
    return expose(picture, replace(exposure, noise=0.0), rng)


def _write_title(card: Picture, title: str) -> None:
    height, width = card.shape[:2]
    card[:] = (18, 22, 40)
    font = cv2.FONT_HERSHEY_DUPLEX
    (text_width, text_height), _ = cv2.getTextSize(title, font, 1.0, 1)
    scale = min(0.8 * width / text_width, 0.12 * height / text_height)
    origin = (
        round((width - text_width * scale) / 2),
        round((height + text_height * scale) / 2),
    )
    white = (235, 235, 225)
    cv2.putText(card, title, origin, font, scale, white, 1, cv2.LINE_AA)
