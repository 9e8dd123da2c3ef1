"""What tests of every app need of the stand-in Stash.

The root `conftest.py` makes fixtures of it: `stash_library`, a tiny library for one
test to change, and `stash_server`, a server of that library.
"""

from pathlib import Path

from demo.stash.drawing import ensure_library
from demo.stash.library import Library
from demo.stash.plans import tiny_plan
from demo.stash.server import Faults, Request, StashServer
from demo.stash.variants import VARIANTS, Film, write_variant
from demo.world import World

__all__ = [
    "TINY_WORLD",
    "VARIANTS",
    "Faults",
    "Film",
    "Library",
    "Request",
    "StashServer",
    "tiny_library",
    "write_variant",
]

# The people of demo.tests.conftest.small_world begin with the same ones.
TINY_WORLD = World(seed=77, people_count=24)


def tiny_library(folder: Path, *, world: World = TINY_WORLD) -> Library:
    """Return the tiny library in `folder`, drawn first if it is not there."""
    return ensure_library(folder, tiny_plan(world))
