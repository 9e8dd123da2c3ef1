"""Where every random number of the demo world comes from.

Each use draws from a namespace of its own, so what a network was trained on can
never turn up again as a person of a world, in a release or in a held-out picture.
"""

from enum import IntEnum

import numpy as np

Generator = np.random.Generator


class Namespace(IntEnum):
    TRAINING_PERSON = 1
    TRAINING_DRAWING = 2
    TRAINING_SCENE = 3
    WORLD_PERSON = 11
    WORLD_NAME = 12
    WORLD_REFERENCE = 13
    RELEASE = 14
    NOBODY = 15
    STRANGER = 21
    HELD_OUT_PICTURE = 22
    STASH_SHOT = 31
    STASH_ROW = 32
    STASH_PICTURE = 33
    STASH_STRANGER = 34
    BOX_ROW = 41


TRAINING_NAMESPACES = frozenset(
    {
        Namespace.TRAINING_PERSON,
        Namespace.TRAINING_DRAWING,
        Namespace.TRAINING_SCENE,
    }
)


def generator(namespace: Namespace, *parts: int) -> Generator:
    """Return the generator that belongs to these numbers, the same every time."""
    return np.random.default_rng(np.random.SeedSequence([int(namespace), *parts]))
