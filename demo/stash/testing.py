"""What tests of every app need of the stand-in Stash.

The root `conftest.py` makes fixtures of it: `stash_library`, a tiny library for one
test to change, and `stash_server`, a server of that library.
"""

from dataclasses import replace
from pathlib import Path

from demo.seeds import Namespace, generator
from demo.stash import rows
from demo.stash.drawing import appearances_in, ensure_library, shots_of
from demo.stash.library import Library, MediaFile, now
from demo.stash.plans import LibraryPlan, default_plan, tiny_plan
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
    "short_library",
    "tiny_library",
    "undrawn_library",
    "write_variant",
]

# The people of demo.tests.conftest.small_world begin with the same ones.
TINY_WORLD = World(seed=77, people_count=24)
# Enough for the title and everybody in turn, a fifth of what the longest takes.
_SHORT_SECONDS = 12


def tiny_library(folder: Path, *, world: World = TINY_WORLD) -> Library:
    """Return the tiny library in `folder`, drawn first if it is not there."""
    return ensure_library(folder, tiny_plan(world))


def short_library(folder: Path, *, world: World) -> Library:
    """Return the library to try things with, in which no scene is longer than 12 s.

    It has the recipe of the long one, so that whoever looks for that draws nothing.
    """
    plan = default_plan(world)
    scenes = tuple(
        replace(scene, seconds=min(scene.seconds, _SHORT_SECONDS))
        for scene in plan.scenes
    )
    short = replace(plan, scenes=scenes, shot_seconds=(1.5, 2.5), title_seconds=1.0)
    return ensure_library(folder, short)


def undrawn_library(world: World) -> Library:
    """Return the rows and answers of the library to try things with, and no media.

    Its videos have fingerprints as if they were drawn.
    """
    plan = default_plan(world)
    library = Library(Path("/undrawn"))
    rows.fill_rows(library, plan)
    for number, scene in enumerate(plan.scenes):
        own = library.scenes[str(number + 1)]
        sizes = (scene.encoded_size, scene.second_size)
        for file_id, size in zip(own.file_ids, sizes, strict=False):
            assert size is not None, "a file without a size"
            library.files[file_id] = _undrawn(file_id, plan, number, size)
        library.answers[own.id] = list(appearances_in(shots_of(plan, scene, number)))
    return library


def _undrawn(
    file_id: str, plan: LibraryPlan, number: int, size: tuple[int, int]
) -> MediaFile:
    scene = plan.scenes[number]
    take = number if scene.take is None else scene.take
    phash = generator(Namespace.STASH_SHOT, plan.world.seed, take, 1).bytes(8)
    own = generator(Namespace.STASH_SHOT, plan.world.seed, int(file_id), 2).bytes(8)
    return MediaFile(
        file_id,
        name=f"media/scenes/{file_id}.mp4",
        size=size[0] * size[1],
        width=size[0],
        height=size[1],
        fingerprints={"oshash": own.hex(), "phash": phash.hex()},
        created_at=now(),
        updated_at=now(),
        mod_time=now(),
        format="mp4",
        duration=float(scene.seconds),
        video_codec="hevc" if scene.codec == "libx265" else "h264",
        frame_rate=float(scene.fps),
        bit_rate=size[0] * size[1],
    )
