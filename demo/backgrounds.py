"""What stands behind drawn people: walls, patterns, clutter. Never a head."""

import cv2
import numpy as np

from demo.brush import Picture, dot, fill
from demo.identity import BOLD_COLOURS, Rgb
from demo.seeds import Generator


def draw_background(rng: Generator, *, width: int, height: int) -> Picture:
    """Return a new picture with a background and, often, some clutter."""
    picture = _draw_wall(rng, width, height)
    kind = int(rng.integers(6))
    if kind == 1:
        _draw_stripes(picture, rng)
    elif kind == 2:
        _draw_tiles(picture, rng)
    elif kind == 3:
        _draw_blobs(picture, rng, int(rng.integers(6, 30)))
    elif kind == 4:
        _draw_grain(picture, rng)
    elif kind == 5:
        _draw_windows(picture, rng)
    if rng.random() < 0.6:
        _draw_blobs(picture, rng, int(rng.integers(1, 7)))
    return picture


def random_colour(rng: Generator) -> Rgb:
    """Return any colour, half of the time one that people also wear."""
    if rng.random() < 0.4:
        return BOLD_COLOURS[rng.integers(len(BOLD_COLOURS))]
    red, green, blue = (int(value) for value in rng.integers(20, 250, size=3))
    return red, green, blue


def _draw_wall(rng: Generator, width: int, height: int) -> Picture:
    corners = np.array(
        [[random_colour(rng), random_colour(rng)] for _ in range(2)], dtype=np.uint8
    )
    if rng.random() < 0.5:
        corners[1] = corners[0]
    if rng.random() < 0.5:
        corners[:, 1] = corners[:, 0]
    wall = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(wall, dtype=np.uint8)


def _draw_stripes(picture: Picture, rng: Generator) -> None:
    height, width = picture.shape[:2]
    colour = random_colour(rng)
    step = max(8, int(width * rng.uniform(0.03, 0.2)))
    slant = float(rng.uniform(-1, 1)) * height
    for left in range(-height, width + height, 2 * step):
        stripe = np.array(
            [
                (left, 0),
                (left + step, 0),
                (left + step + slant, height),
                (left + slant, height),
            ],
            dtype=np.float64,
        )
        fill(picture, stripe, colour)


def _draw_tiles(picture: Picture, rng: Generator) -> None:
    height, width = picture.shape[:2]
    step = max(8, int(width * rng.uniform(0.03, 0.15)))
    colours = np.array([random_colour(rng) for _ in range(3)], dtype=np.uint8)
    rows, columns = height // step + 1, width // step + 1
    tiles = colours[rng.integers(3, size=(rows, columns))]
    large = cv2.resize(
        tiles, (columns * step, rows * step), interpolation=cv2.INTER_NEAREST
    )
    cv2.addWeighted(
        picture, 0.4, large[:height, :width].astype(np.uint8), 0.6, 0, dst=picture
    )


def _draw_blobs(picture: Picture, rng: Generator, count: int) -> None:
    height, width = picture.shape[:2]
    for _ in range(count):
        centre = rng.uniform(0, 1, 2) * (width, height)
        radius = float(rng.uniform(0.02, 0.14)) * width
        colour = random_colour(rng)
        if rng.random() < 0.6:
            dot(picture, centre, colour, radius_px=radius)
            if rng.random() < 0.4:
                dot(picture, centre, random_colour(rng), radius_px=radius * 0.5)
        else:
            corners = centre + rng.uniform(-1.5, 1.5, (4, 2)) * radius
            fill(picture, corners, colour)


def _draw_grain(picture: Picture, rng: Generator) -> None:
    height, width = picture.shape[:2]
    cells = max(2, int(rng.integers(4, 40)))
    noise = rng.integers(0, 255, size=(cells, cells, 3), dtype=np.uint8)
    large = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    share = float(rng.uniform(0.2, 0.7))
    cv2.addWeighted(picture, 1 - share, large.astype(np.uint8), share, 0, dst=picture)


def _draw_windows(picture: Picture, rng: Generator) -> None:
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 5))):
        left, top = rng.uniform(-0.1, 0.8, 2) * (width, height)
        right = left + float(rng.uniform(0.1, 0.4)) * width
        bottom = top + float(rng.uniform(0.1, 0.5)) * height
        frame = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        fill(picture, frame, random_colour(rng))
        pane = frame * 0.85 + frame.mean(axis=0) * 0.15
        fill(picture, pane, random_colour(rng))
