"""A person's traits as numbers, for a network to predict while it learns to tell
people apart. What a mirror would change is left out: mirrored crops are averaged.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from demo.identity import (
    Beard,
    FaceMark,
    Glasses,
    HairCut,
    Hairline,
    HairTexture,
    Identity,
    Rgb,
)


def trait_vector(identity: Identity) -> NDArray[np.float32]:
    hair, eyes, brows = identity.hair, identity.eyes, identity.brows
    hides_hair = hair.cut in (HairCut.BALD, HairCut.BEANIE)
    numbers = [
        identity.head_half_height,
        identity.jaw_taper,
        identity.jaw_squareness,
        identity.ear_size,
        0.0 if hides_hair else hair.volume,
        0.0 if hides_hair else hair.line_height,
        eyes.half_spacing,
        eyes.half_width,
        eyes.half_height,
        eyes.tilt,
        eyes.iris_size,
        eyes.lash_width,
        brows.height,
        brows.thickness,
        brows.tilt,
        brows.arch,
        brows.half_width,
        identity.nose_half_width,
        identity.nose_tip,
        identity.nose_shape,
        identity.mouth_height,
        identity.mouth_half_width,
        identity.lip_fullness,
        identity.blush,
        float(identity.has_freckles),
        len(identity.moles),
        sum(mole.v for mole in identity.moles),
        sum(abs(mole.u) for mole in identity.moles),
    ]
    colours = [
        *_colour(identity.skin),
        *_colour(hair.colour),
        *_colour(None if hides_hair else hair.streak_colour),
        *_colour(hair.accessory_colour if hair.cut is HairCut.BEANIE else None),
        *_colour(eyes.iris_colour),
        *_colour(eyes.lid_colour),
        *_colour(identity.lip_colour),
        *_colour(identity.earring_colour),
        *_colour(None if identity.glasses is Glasses.NONE else identity.glasses_colour),
        *_colour(None if identity.glasses is Glasses.NONE else identity.lens_colour),
        *_colour(identity.mark_colour if identity.mark in _COLOURED_MARKS else None),
    ]
    kinds = [
        *_one_of(hair.cut, list(HairCut)),
        *_one_of(_MIRRORED.get(hair.hairline, hair.hairline), list(Hairline)),
        *_one_of(hair.texture, list(HairTexture)),
        *_one_of(identity.mark, list(FaceMark)),
        *_one_of(identity.beard, list(Beard)),
        *_one_of(identity.glasses, list(Glasses)),
    ]
    return np.array([*numbers, *colours, *kinds], dtype=np.float32)


_COLOURED_MARKS = (
    FaceMark.FOREHEAD_DOT,
    FaceMark.CHEEK_STRIPES,
    FaceMark.NOSE_PLASTER,
)
_MIRRORED = {Hairline.SWEPT_RIGHT: Hairline.SWEPT_LEFT}


def _colour(colour: Rgb | None) -> list[float]:
    """Return presence and colour; absent is grey."""
    if colour is None:
        return [0.0, 0.5, 0.5, 0.5]
    return [1.0, *(value / 255 for value in colour)]


def _one_of(kind: StrEnum, kinds: Sequence[StrEnum]) -> list[float]:
    return [float(kind is other) for other in kinds]
