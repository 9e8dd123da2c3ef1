"""manage.py verify_release: read an installed release's files again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dbupdates.management.terminal import progress_shown
from dbupdates.models import DatabaseRelease
from dbupdates.services import get_release, verify_release
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = "Compare every file of an installed release with its digest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", nargs="?", help="default: the active release")

    def handle(self, *_args: Any, version: str | None, **_options: Any) -> None:
        with errors_as_sentences():
            release = (
                DatabaseRelease.objects.active()
                if version is None
                else get_release(version)
            )
            if release is None:
                raise CommandError("No release is active; name one.")
            with progress_shown(self.stdout) as on_progress:
                problems = verify_release(release, on_progress=on_progress)
        if problems:
            listed = "\n".join(
                f"  {file.name}: {file.explanation}" for file in problems
            )
            raise CommandError(f"Release {release} is damaged:\n{listed}")
        self.stdout.write(f"Release {release} is intact.")
