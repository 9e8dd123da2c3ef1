"""Training crops for the embedders: many drawn people, aligned as detected faces are.

    python -m demo.training.crops OUT.npy --people 6000 --drawings 12

writes uint8[people * drawings, 112, 112, 3], all drawings of a person in a row.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.artist import draw_head, sample_sitting
from demo.backgrounds import draw_background
from demo.brush import Picture
from demo.camera import decode_jpeg, encode_jpeg, expose, sample_exposure
from demo.geometry import Placement, Points
from demo.identity import Identity, sample_identity
from demo.seeds import Generator, Namespace, generator

CROP_PX = 112
ALIGNMENT_TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
# In head units; the demo detector's landmarks miss by about this much.
LANDMARK_JITTER = 0.035


def draw_crop(identity: Identity, rng: Generator) -> Picture:
    """Return one aligned crop of a person, with a detector's imprecision."""
    unit = float(np.exp(rng.uniform(np.log(16), np.log(64))))
    size = int(4.4 * unit)
    picture = draw_background(rng, width=size, height=size)
    place = Placement(size / 2, size * 0.47, unit)
    head = draw_head(picture, identity, sample_sitting(rng), place)
    exposure = sample_exposure(rng, sharpness_px=unit * 0.05)
    seen = expose(picture, exposure, rng)
    seen = decode_jpeg(encode_jpeg(seen, quality=exposure.jpeg_quality))
    drift = rng.normal(0, LANDMARK_JITTER * 0.6, (1, 2))
    jitter = (rng.normal(0, LANDMARK_JITTER, (5, 2)) + drift) * unit
    return align(seen, head.landmarks + jitter)


def align(picture: Picture, landmarks: Points) -> Picture:
    matrix = similarity(landmarks, ALIGNMENT_TEMPLATE)
    crop = cv2.warpAffine(picture, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR)
    return np.ascontiguousarray(crop, dtype=np.uint8)


def similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the 2x3 least-squares rotation, scale and shift (Umeyama)."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(wanted.T @ centred)
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ np.diag(signs) @ vt
    scale = (singular * signs).sum() / (centred**2).sum()
    linear = scale * rotation
    shift = target_mean - linear @ source_mean
    return np.concatenate([linear, shift[:, None]], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=6000)
    parser.add_argument("--drawings", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    crops = np.lib.format.open_memmap(
        options.out,
        mode="w+",
        dtype=np.uint8,
        shape=(options.people * options.drawings, CROP_PX, CROP_PX, 3),
    )
    for row in range(len(crops)):
        person, drawing = divmod(row, options.drawings)
        person += options.first
        identity = sample_identity(generator(Namespace.TRAINING_PERSON, person))
        rng = generator(Namespace.TRAINING_DRAWING, person, drawing)
        crops[row] = draw_crop(identity, rng)


if __name__ == "__main__":
    main()
