"""manage.py demo_pictures: draw new pictures of the people of a demo world."""

import itertools
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.install import find_active_world
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
            active_world = find_active_world()
            if active_world is None:
                raise CommandError(
                    "No demo world is active; give --world-seed and --people."
                )
            world = active_world
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
