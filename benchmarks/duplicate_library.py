"""A made-up library with planted duplicates: for claims about finding them all.

Of the scenes 70 % have a pHash, 5 % a blank one. A tenth are one studio's with one
performer. Every planted pair has evidence enough for a recommendation, and the near
misses, whose pHashes differ in 11 to 14 bits, have none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import cycle

import numpy as np

from recommendations.scoring import SceneFacts

ENDPOINT = "https://stash-box.example/graphql"
PHASH_PROPORTION = 0.7
BLANK_PROPORTION = 0.05
BIG_BLOCK_PROPORTION = 0.1
# One scene in fifty is the copy of another.
PLANTED_PROPORTION = 0.02
NEAR_MISS_PROPORTION = 0.01
_DAYS = 5_000
_FIRST_DAY = np.datetime64("2010-01-01")


@dataclass
class DuplicateLibrary:
    """Scenes in the order of their ids, and what is known of them.

    `faces` are by scene id. `planted` and `near_misses` are pairs of scene ids, the
    smaller number first.
    """

    scenes: list[SceneFacts]
    faces: dict[str, dict[str, int]] = field(default_factory=dict)
    planted: set[tuple[str, str]] = field(default_factory=set)
    near_misses: set[tuple[str, str]] = field(default_factory=set)

    def put(self, position: int, scene: SceneFacts) -> None:
        self.scenes[position] = replace(scene, scene_id=str(position + 1))

    def pair_of(self, one: int, other: int) -> tuple[str, str]:
        first, second = sorted((one, other))
        return self.scenes[first].scene_id, self.scenes[second].scene_id


Plant = Callable[[DuplicateLibrary, int, int, np.random.Generator], None]


def make_library(scene_count: int, *, seed: int = 20) -> DuplicateLibrary:
    """Return a library of so many scenes; the same seed makes the same one."""
    rng = np.random.default_rng(seed)
    library = DuplicateLibrary(_unrelated_scenes(scene_count, rng))
    order = rng.permutation(scene_count)
    planted = int(scene_count * PLANTED_PROPORTION)
    missed = int(scene_count * NEAR_MISS_PROPORTION)
    pairs = order[: 2 * (planted + missed)].reshape(-1, 2).tolist()
    for (origin, copy), plant in zip(pairs[:planted], cycle(PLANTS), strict=False):
        plant(library, origin, copy, rng)
        library.planted.add(library.pair_of(origin, copy))
    for origin, copy in pairs[planted:]:
        _plant_near_miss(library, origin, copy, rng)
        library.near_misses.add(library.pair_of(origin, copy))
    return library


def _unrelated_scenes(count: int, rng: np.random.Generator) -> list[SceneFacts]:
    phashes = np.frombuffer(rng.bytes(8 * count), dtype=np.uint64).copy()
    phashes[rng.random(count) < BLANK_PROPORTION] = 0
    has_phash = rng.random(count) < PHASH_PROPORTION
    is_in_block = rng.random(count) < BIG_BLOCK_PROPORTION
    days = (_FIRST_DAY + rng.integers(0, _DAYS, count)).astype(str)
    studios = rng.integers(0, max(count // 100, 1), count)
    casts = rng.integers(0, max(count // 10, 1), (count, 3))
    cast_sizes = rng.integers(1, 4, count)
    durations = rng.uniform(300, 3600, count).round(2)
    scenes = []
    for position in range(count):
        cast = frozenset(map(str, casts[position, : cast_sizes[position]]))
        in_block = is_in_block[position]
        scenes.append(
            SceneFacts(
                scene_id=str(position + 1),
                phash=int(phashes[position]) if has_phash[position] else None,
                date=str(days[position]),
                studio_id="big" if in_block else str(studios[position]),
                performer_ids=frozenset({"big"}) if in_block else cast,
                duration_seconds=float(durations[position]),
            )
        )
    return scenes


def _flip(phash: int, bit_count: int, rng: np.random.Generator) -> int:
    for bit in rng.choice(64, bit_count, replace=False).tolist():
        phash ^= 1 << bit
    return phash


def _fresh_phash(rng: np.random.Generator) -> int:
    return int.from_bytes(rng.bytes(8), "little")


def _plant_pictures(distance: int) -> Plant:
    """Return what plants a copy whose pHash differs in so many bits.

    Beyond four bits its metadata say so, too, and beyond eight the faces.
    """

    def plant(
        library: DuplicateLibrary, origin: int, copy: int, rng: np.random.Generator
    ) -> None:
        phash = _fresh_phash(rng)
        scene = replace(library.scenes[origin], phash=phash)
        library.put(origin, scene)
        other = scene if distance > 4 else library.scenes[copy]
        library.put(copy, replace(other, phash=_flip(phash, distance, rng)))
        if distance > 8:
            _show_faces(library, origin, copy)

    return plant


def _plant_stash_id(
    library: DuplicateLibrary, origin: int, copy: int, rng: np.random.Generator
) -> None:
    stash_ids = frozenset({(ENDPOINT, f"planted-{origin}")})
    for position in (origin, copy):
        scene = library.scenes[position]
        library.put(position, replace(scene, stash_ids=stash_ids))


def _plant_metadata(
    library: DuplicateLibrary, origin: int, copy: int, rng: np.random.Generator
) -> None:
    library.put(copy, replace(library.scenes[origin], phash=None))


def _plant_faces(
    library: DuplicateLibrary, origin: int, copy: int, rng: np.random.Generator
) -> None:
    """Plant a copy that only the people in it and its length tell of."""
    duration = library.scenes[origin].duration_seconds or 0.0
    for position, seconds in ((origin, duration), (copy, duration + 1.5)):
        scene = library.scenes[position]
        library.put(position, replace(scene, phash=None, duration_seconds=seconds))
    _show_faces(library, origin, copy)


def _plant_near_miss(
    library: DuplicateLibrary, origin: int, copy: int, rng: np.random.Generator
) -> None:
    phash = _fresh_phash(rng)
    library.put(origin, replace(library.scenes[origin], phash=phash))
    distance = int(rng.integers(11, 15))
    other = replace(
        library.scenes[copy],
        phash=_flip(phash, distance, rng),
        studio_id=f"missed-{copy}",
        performer_ids=frozenset({f"missed-{copy}"}),
    )
    library.put(copy, other)


def _show_faces(library: DuplicateLibrary, origin: int, copy: int) -> None:
    cast = sorted(library.scenes[origin].performer_ids)
    for position in (origin, copy):
        library.faces[str(position + 1)] = dict.fromkeys(cast, 10)


PLANTS: tuple[Plant, ...] = (
    *(_plant_pictures(distance) for distance in range(11)),
    _plant_stash_id,
    _plant_metadata,
    _plant_faces,
)
