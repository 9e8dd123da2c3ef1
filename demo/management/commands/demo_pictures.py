"""manage.py demo_pictures: draw new pictures of the people of a demo world."""

import itertools
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dbupdates.store import active_release
from demo.pictures import iter_known_pictures, iter_stranger_pictures, write_pictures
from demo.world import DEFAULT_PEOPLE_COUNT, World


class Command(BaseCommand):
    help = "Draw new pictures of the active demo world's people, with answers.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, required=True)
        parser.add_argument("--count", type=int, required=True)
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument(
            "--strangers", type=int, default=0, help="pictures of strangers, besides"
        )
        parser.add_argument(
            "--world-seed", type=int, help="a world other than the active release's"
        )
        parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE_COUNT)

    def handle(self, **options: Any) -> None:
        if options["world_seed"] is None:
            world = _active_world()
        else:
            world = World(options["world_seed"], options["people"])
        seed = options["seed"]
        drawn = write_pictures(
            options["out"],
            itertools.chain(
                iter_known_pictures(world, seed=seed, count=options["count"]),
                iter_stranger_pictures(seed=seed, count=options["strangers"]),
            ),
        )
        self.stdout.write(f"{options['out']}: {drawn} pictures")


def _active_world() -> World:
    release = active_release()
    if release is None:
        raise CommandError("No release is active; give --world-seed and --people.")
    text = (release.path / "manifest.json").read_text(encoding="utf-8")
    described = json.loads(text).get("demo")
    if not isinstance(described, dict):
        raise CommandError(f"The active release {release.version} is no demo world.")
    return World(described["seed"], described["people"])
