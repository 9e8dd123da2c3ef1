"""manage.py import_release: install a release from a zip or a folder."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbupdates.management.terminal import (
    ASKER,
    progress_shown,
    require_success,
)
from dbupdates.models import UpdateRun
from dbupdates.services import get_release
from dbupdates.updates import run_here
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = "Verify the release in a zip or folder and install it beside the others."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a release's zip, or its folder")
        parser.add_argument(
            "--activate", action="store_true", help="serve it once it is installed"
        )

    def handle(self, *_args: Any, path: Path, activate: bool, **_options: Any) -> None:
        with errors_as_sentences(), progress_shown(self.stdout) as listener:
            run = run_here(
                UpdateRun.Kind.IMPORT,
                asker=ASKER,
                listener=listener,
                source_path=str(path.absolute()),
                is_activating=activate,
            )
        require_success(run)
        release = get_release(run.version)
        self.stdout.write(
            f"Release {release} is {release.status}: {release.face_count:,} faces of "
            f"{release.performer_count:,} performers."
        )
