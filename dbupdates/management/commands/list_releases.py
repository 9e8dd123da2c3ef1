"""manage.py list_releases: what is installed, and which release is served."""

from typing import Any

from django.core.management.base import BaseCommand

from dbupdates.models import DatabaseRelease


class Command(BaseCommand):
    help = "List the releases this service knows of, newest first."

    def handle(self, *_args: Any, **_options: Any) -> None:
        releases = DatabaseRelease.objects.all()
        if not releases:
            self.stdout.write("No release is known. Install one with import_release.")
            return
        line = "{:<16} {:<10} {:>10} {:>11} {:>10}  {}"
        self.stdout.write(
            line.format("VERSION", "STATE", "FACES", "PERFORMERS", "MB", "NETWORKS")
        )
        for release in releases:
            self.stdout.write(
                line.format(
                    release.version,
                    release.status,
                    f"{release.face_count:,}",
                    f"{release.performer_count:,}",
                    f"{release.size_bytes / 1e6:,.1f}",
                    release.network_set,
                )
            )
