"""manage.py demo_release: build a release of drawn people."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from demo.release import build_release
from demo.world import DEFAULT_PEOPLE_COUNT, DEFAULT_SEED, World


class Command(BaseCommand):
    help = "Build a release of drawn people in the published format (folder and zip)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=_count, default=DEFAULT_PEOPLE_COUNT)
        parser.add_argument("--version", dest="release_version", required=True)
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)

    def create_parser(
        self, prog_name: str, subcommand: str, **kwargs: Any
    ) -> CommandParser:
        # Django's own --version would stand in the way of the release's.
        return super().create_parser(
            prog_name, subcommand, conflict_handler="resolve", **kwargs
        )

    def handle(self, **options: Any) -> None:
        world = World(options["seed"], options["people"])
        with tqdm(total=world.people_count, unit="person", disable=None) as bar:
            built = build_release(
                world,
                version=options["release_version"],
                out_dir=options["out"],
                on_progress=lambda done, _total: _advance(bar, done),
            )
        self.stdout.write(f"{built.folder}")
        self.stdout.write(
            f"{built.archive}: {built.performer_count} performers,"
            f" {built.face_count} faces"
        )


def _advance(bar: "tqdm[Any]", done: int) -> None:
    bar.update(done - bar.n)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
