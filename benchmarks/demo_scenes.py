"""Whether the people of drawn scenes are named, in every matching mode.

    python -m benchmarks.demo_scenes [--quick] [--seed N]

Scenes are drawn videos with known casts and strangers, served by the stand-in Stash and
identified by the production code over HTTP as /identify/scene does, with its defaults.
Each is decoded once; the other modes match what was kept of it. A name counts once for
each scene.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.figures import print_machine
from recognition.numeric.people import MatchingMode

if TYPE_CHECKING:
    from demo.stash.library import Appearance
    from demo.stash.plans import LibraryPlan
    from demo.world import World

SEED = 990_001
SCENE_COUNT = 24
QUICK_SCENE_COUNT = 6
SCENE_SECONDS = 24
MOST_KNOWN = 4

MIN_RECALL = 0.90
MIN_PRECISION = 0.95
DEFAULT_MODE = MatchingMode.TEMPLATE


@dataclass
class Tally:
    """Of all scenes: who is in them and known, who was named, and named rightly."""

    known: int = 0
    named: int = 0
    right: int = 0
    people: int = 0

    def add(self, *, cast: set[str], named: list[str], people: int) -> None:
        self.known += len(cast)
        self.named += len(named)
        self.right += len(cast.intersection(named))
        self.people += people

    @property
    def recall(self) -> float:
        return self.right / max(1, self.known)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.named)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the scenes")
    parser.add_argument("--seed", type=int, default=SEED, help="of the casts")
    options = parser.parse_args()
    count = QUICK_SCENE_COUNT if options.quick else SCENE_COUNT
    print_machine()
    with tempfile.TemporaryDirectory() as name:
        tallies = measure(Path(name), seed=options.seed, scene_count=count)
    return 0 if report(tallies, scene_count=count) else 1


def measure(folder: Path, *, seed: int, scene_count: int) -> dict[MatchingMode, Tally]:
    """Draw, identify and match in every mode; return what came of each."""
    _configure_django(folder / "data")
    from demo.install import DEFAULT_WORLD, install_demo_world
    from demo.stash.drawing import ensure_library
    from demo.stash.server import StashServer

    install_demo_world(folder / "data")
    library = ensure_library(
        folder / "library", _plan(DEFAULT_WORLD, seed=seed, scene_count=scene_count)
    )
    with StashServer(library) as server, _served(server.url):
        return _identify_all(library.answers)


def _identify_all(
    answers: "dict[str, list[Appearance]]",
) -> dict[MatchingMode, Tally]:
    from recognition import registry
    from recognition.runtime.people import MatchingOptions, people_in_scene
    from recognition.scenes import SceneOptions, identify_scene

    tallies = {mode: Tally() for mode in MatchingMode}
    database = registry.recognizer().database
    for scene_id in sorted(answers, key=int):
        cast = {each.universal_id for each in answers[scene_id] if each.universal_id}
        identified = identify_scene(scene_id, SceneOptions())
        for mode, tally in tallies.items():
            options = MatchingOptions(mode=mode)
            people = people_in_scene(database, identified.collected.faces, options)
            named = [
                database.release.performer(one.named.performer).universal_id
                for one in people
                if one.named
            ]
            tally.add(cast=cast, named=named, people=len(people))
    return tallies


def _plan(world: "World", *, seed: int, scene_count: int) -> "LibraryPlan":
    """Return scenes of one to four known people, and a stranger or two in most."""
    from demo.stash.plans import LibraryPlan, PerformerPlan, ScenePlan

    rng = np.random.default_rng(seed)
    scenes = tuple(
        ScenePlan(
            f"Scene {number + 1}",
            SCENE_SECONDS,
            tuple(
                rng.choice(
                    world.people_count, int(rng.integers(1, MOST_KNOWN + 1)), False
                ).tolist()
            ),
            strangers=tuple(
                100 + 3 * number + which for which in range(int(rng.integers(0, 3)))
            ),
            has_sprite=False,
        )
        for number in range(scene_count)
    )
    return LibraryPlan(
        name=f"benchmark-{seed}-{scene_count}",
        world=world,
        performers=tuple(PerformerPlan(row) for row in range(world.people_count)),
        scenes=scenes,
        galleries=(),
        images=(),
    )


def _configure_django(data_dir: Path) -> None:
    import django
    from django.core.management import call_command

    data_dir.mkdir()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "stashsense.settings",
        "DATA_DIR": str(data_dir),
        "LOG_LEVEL": "warning",
        "STASH_SENSE_DEVICE": "cpu",
    }
    django.setup()
    call_command("migrate", verbosity=0)


@contextmanager
def _served(stash_url: str) -> Iterator[None]:
    """Serve the active release in this process, with that Stash beside it."""
    from django.conf import settings

    from recognition import registry

    settings.STASH_URL = stash_url
    registry.load_active()
    try:
        yield
    finally:
        registry.serve(None)


def report(tallies: dict[MatchingMode, Tally], *, scene_count: int) -> bool:
    """Print the figures; return whether the default mode meets its goals."""
    print(f"scenes = {scene_count} scenes")
    for mode, tally in tallies.items():
        is_default = mode is DEFAULT_MODE
        recall_goal = f" (goal >= {MIN_RECALL})" if is_default else ""
        precision_goal = f" (goal >= {MIN_PRECISION})" if is_default else ""
        print(f"{mode}_cast = {tally.known} people, {tally.people} were seen")
        print(f"{mode}_recall = {tally.recall:.4f} ratio{recall_goal}")
        print(f"{mode}_precision = {tally.precision:.4f} ratio{precision_goal}")
    default = tallies[DEFAULT_MODE]
    return default.recall >= MIN_RECALL and default.precision >= MIN_PRECISION


if __name__ == "__main__":
    sys.exit(main())
