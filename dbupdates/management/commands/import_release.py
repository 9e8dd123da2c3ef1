"""manage.py import_release: install a release from a zip or a folder."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbupdates.management.terminal import errors_as_sentences, progress_shown
from dbupdates.services import activate_release, import_release


class Command(BaseCommand):
    help = "Verify the release in a zip or folder and install it beside the others."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a release's zip, or its folder")
        parser.add_argument(
            "--activate", action="store_true", help="serve it once it is installed"
        )

    def handle(self, *_args: Any, path: Path, activate: bool, **_options: Any) -> None:
        with errors_as_sentences():
            with progress_shown(self.stdout) as on_progress:
                release = import_release(path, on_progress=on_progress)
            if activate:
                release = activate_release(release)
        self.stdout.write(
            f"Release {release} is {release.status}: {release.face_count:,} faces of "
            f"{release.performer_count:,} performers."
        )
