"""Whole pictures of drawn people: portraits and groups, as a camera sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demo.artist import DrawnHead, draw_head, sample_sitting
from demo.backgrounds import draw_background
from demo.camera import encode_jpeg, expose, sample_exposure
from demo.geometry import Placement
from demo.identity import Identity
from demo.seeds import Generator

MOST_PEOPLE_IN_A_GROUP = 5
PICTURE_SIZES = ((640, 480), (800, 600), (960, 720), (1024, 768), (600, 800))
PORTRAIT_SIZES = ((480, 480), (480, 640), (640, 480), (600, 800), (800, 600))
# Head units: from shoulder to shoulder and from the hair to the chest.
_GROUP_SPACING = 2.9
_REFERENCE_SIZE_PX = 320


@dataclass(frozen=True)
class Scene:
    """A finished picture: its JPEG bytes, and its heads in the order given."""

    jpeg: bytes
    width: int
    height: int
    heads: tuple[DrawnHead, ...]


def draw_reference(identity: Identity, rng: Generator) -> Scene:
    """Draw a person alone and large, as a database would keep them."""
    size = _REFERENCE_SIZE_PX
    unit = size * float(rng.uniform(0.2, 0.27))
    place = Placement(
        size / 2 + float(rng.uniform(-0.06, 0.06)) * size,
        size * float(rng.uniform(0.44, 0.52)),
        unit,
    )
    return take_picture(rng, (size, size), [identity], [place])


def draw_portrait(identity: Identity, rng: Generator) -> Scene:
    """Draw a person alone, near or far."""
    width, height = PORTRAIT_SIZES[rng.integers(len(PORTRAIT_SIZES))]
    shorter = min(width, height)
    unit = shorter * float(rng.uniform(0.09, 0.27))
    place = Placement(
        float(rng.uniform(1.5 * unit, width - 1.5 * unit)),
        float(rng.uniform(1.8 * unit, max(1.9 * unit, height - 1.7 * unit))),
        unit,
    )
    return take_picture(rng, (width, height), [identity], [place])


def draw_group(identities: Sequence[Identity], rng: Generator) -> Scene:
    """Draw two to five people side by side."""
    width, height = PICTURE_SIZES[rng.integers(len(PICTURE_SIZES))]
    places = _line_up(rng, identities, width, height)
    return take_picture(rng, (width, height), identities, places)


def _line_up(
    rng: Generator, identities: Sequence[Identity], width: int, height: int
) -> list[Placement]:
    slot = width / len(identities)
    widest = min(slot / _GROUP_SPACING, height / 5)
    places = []
    # Shoulders reach into the next slot: heads on one level are not hidden by them.
    level = float(rng.uniform(2.3 * widest, max(2.4 * widest, height - 2.6 * widest)))
    for index in range(len(identities)):
        unit = widest * float(rng.uniform(0.72, 1.0))
        slack = (slot - 2.6 * unit) / 2
        x = (index + 0.5) * slot + float(rng.uniform(-1, 1)) * max(0.0, slack)
        y = level + float(rng.uniform(-0.45, 0.45)) * unit
        places.append(Placement(x, y, unit))
    return places


def take_picture(
    rng: Generator,
    size: tuple[int, int],
    identities: Sequence[Identity],
    places: Sequence[Placement],
) -> Scene:
    """Draw these people at these places before a background, as a camera sees it."""
    width, height = size
    picture = draw_background(rng, width=width, height=height)
    heads: list[DrawnHead | None] = [None] * len(places)
    # Farther heads are smaller and stand higher: draw them first.
    for index in np.argsort([place.unit_px for place in places], kind="stable"):
        heads[index] = draw_head(
            picture, identities[index], sample_sitting(rng), places[index]
        )
    smallest = min(place.unit_px for place in places)
    exposure = sample_exposure(rng, sharpness_px=smallest * 0.04)
    seen = expose(picture, exposure, rng)
    return Scene(
        jpeg=encode_jpeg(seen, quality=exposure.jpeg_quality),
        width=width,
        height=height,
        heads=tuple(head for head in heads if head is not None),
    )
