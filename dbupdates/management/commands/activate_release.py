"""manage.py activate_release: serve an installed release, newer or older."""

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
    help = "Serve an installed release from now on; also the way back to an older one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="as list_releases shows it")

    def handle(self, *_args: Any, version: str, **_options: Any) -> None:
        with errors_as_sentences():
            release = get_release(version)
            if not release.is_active:
                with progress_shown(self.stdout) as listener:
                    run = run_here(
                        UpdateRun.Kind.ACTIVATION,
                        asker=ASKER,
                        listener=listener,
                        version=release.version,
                    )
                require_success(run)
        self.stdout.write(f"Release {release} is active.")
