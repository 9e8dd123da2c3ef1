"""manage.py purge_releases: delete the files of releases nobody goes back to."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbupdates.models import UpdatePolicy
from dbupdates.services import get_release, purge_old_releases, purge_release
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = "Delete the files of releases that were served, but for the latest of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "versions",
            nargs="*",
            metavar="version",
            help="just these; never the active",
        )
        parser.add_argument(
            "--keep",
            type=int,
            metavar="N",
            help="releases kept besides the active one; default: as the policy says",
        )

    def handle(
        self, *_args: Any, versions: list[str], keep: int | None, **_options: Any
    ) -> None:
        with errors_as_sentences():
            if versions:
                purged = [get_release(version) for version in versions]
                for release in purged:
                    purge_release(release)
            else:
                kept = UpdatePolicy.current().kept_count if keep is None else keep
                purged = purge_old_releases(kept_count=max(kept, 0))
        for release in purged:
            self.stdout.write(f"Deleted the files of release {release}.")
        if not purged:
            self.stdout.write("There is nothing to delete.")
