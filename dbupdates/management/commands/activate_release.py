"""manage.py activate_release: serve an installed release, newer or older."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbupdates.management.terminal import errors_as_sentences
from dbupdates.services import activate_release, get_release


class Command(BaseCommand):
    help = "Serve an installed release from now on; also the way back to an older one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="as list_releases shows it")

    def handle(self, *_args: Any, version: str, **_options: Any) -> None:
        with errors_as_sentences():
            release = activate_release(get_release(version))
        self.stdout.write(f"Release {release} is active.")
