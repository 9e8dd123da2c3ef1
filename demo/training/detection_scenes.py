"""Training pictures for the detector: heads of every size, with boxes and landmarks.

    python -m demo.training.detection_scenes OUT.pickle --count 8000

writes a list of (JPEG bytes, float32[n, 14]): left, top, right, bottom, then the five
landmarks as x, y. Pictures are as large as the detector sees them during training.
"""

import argparse
import pickle
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.artist import DrawnHead, draw_head, sample_sitting
from demo.backgrounds import draw_background
from demo.camera import decode_jpeg, encode_jpeg, expose, sample_exposure
from demo.geometry import Placement
from demo.identity import sample_identity
from demo.seeds import Generator, Namespace, generator

CANVAS_PX = 384
SMALLEST_UNIT_PX = 13
LARGEST_UNIT_PX = 170
_TRIES_PER_HEAD = 6


def draw_training_scene(
    rng: Generator, first_person: int
) -> tuple[bytes, NDArray[np.float32]]:
    """Return a picture as JPEG and one row per head."""
    # Small pictures are enlarged to fit the detector's input: teach it that blur.
    reduction = float(rng.choice((1.0, 1.0, 1.0, 1.6)))
    size = int(CANVAS_PX / reduction)
    picture = draw_background(rng, width=size, height=size)
    places = _places(rng, size, reduction)
    rows = []
    for index, place in enumerate(places):
        identity = sample_identity(
            generator(Namespace.TRAINING_PERSON, first_person + index)
        )
        rows.append(_row(draw_head(picture, identity, sample_sitting(rng), place)))
    unit = min((place.unit_px for place in places), default=20.0)
    exposure = sample_exposure(rng, sharpness_px=min(4.0, unit * 0.05))
    seen = expose(picture, exposure, rng)
    seen = decode_jpeg(encode_jpeg(seen, quality=exposure.jpeg_quality))
    seen = np.asarray(cv2.resize(seen, (CANVAS_PX, CANVAS_PX)), dtype=np.uint8)
    heads = np.array(rows, dtype=np.float32).reshape(-1, 14) * (CANVAS_PX / size)
    if rng.random() < 0.3:
        _letterbox(seen, heads, rng)
    return encode_jpeg(seen, quality=92), heads


def _places(rng: Generator, size: int, reduction: float) -> list[Placement]:
    kind = float(rng.random())
    if kind < 0.06:
        return []
    if kind < 0.45:
        low, high, count = 45.0, float(LARGEST_UNIT_PX), 1
    else:
        low, high, count = float(SMALLEST_UNIT_PX), 60.0, int(rng.integers(1, 8))
    places: list[Placement] = []
    for _ in range(count * _TRIES_PER_HEAD):
        unit = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / reduction
        margin = min(unit, size * 0.4)
        x, y = (float(v) for v in rng.uniform(margin, size - margin, 2))
        if all(
            np.hypot(x - other.x, y - other.y) > 1.9 * (unit + other.unit_px) * 0.75
            for other in places
        ):
            places.append(Placement(x, y, unit))
        if len(places) == count:
            break
    return sorted(places, key=lambda place: place.y)


def _row(head: DrawnHead) -> list[float]:
    return [*head.box, *(float(value) for value in head.landmarks.ravel())]


def _letterbox(
    picture: NDArray[np.uint8], heads: NDArray[np.float32], rng: Generator
) -> None:
    """Blacken what lies right of or below all heads, as a fitted picture shows it."""
    axis = int(rng.integers(2))
    edge = float(heads[:, 2 + axis].max()) if len(heads) else CANVAS_PX * 0.5
    start = int(rng.uniform(min(edge + 5, CANVAS_PX), CANVAS_PX + 1))
    if axis == 0:
        picture[:, start:] = 0
    else:
        picture[start:] = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=8000)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    scenes = []
    for index in range(options.count):
        rng = generator(Namespace.TRAINING_SCENE, index)
        scenes.append(draw_training_scene(rng, first_person=10_000 + index * 8))
    options.out.write_bytes(pickle.dumps(scenes))


if __name__ == "__main__":
    main()
