"""manage.py rematch_library: match what is kept with the active release."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from recognition import library_runs
from recognition.management.library_terminal import ASKER, follow
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = "Match all kept scenes and images with the active release; decodes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", action="store_true", help="tell how far it is until it has ended"
        )

    def handle(self, *_args: Any, wait: bool, **_options: Any) -> None:
        with errors_as_sentences():
            run = library_runs.rematch_library(asker=ASKER)
            self.stdout.write(f"Asked for ({run}).")
            if wait:
                follow(run, self.stdout.write)
