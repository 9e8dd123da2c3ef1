"""manage.py install_published: from drawn people, or from nothing, to real data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbupdates.management.terminal import ASKER, follow_or_work
from dbupdates.updates import request_published
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = (
        "Download the newest published release and the networks it needs, and serve "
        "it; activate_release leads back to what is served now."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-wait",
            action="store_true",
            help="leave it to the service; follow it in the admin",
        )

    def handle(self, *_args: Any, no_wait: bool, **_options: Any) -> None:
        with errors_as_sentences():
            run = request_published(asker=ASKER)
            self.stdout.write(f"Asked for release {run.version} (run {run.job_id}).")
            if no_wait:
                return
            follow_or_work(run, self.stdout)
        self.stdout.write(f"Release {run.version} is active.")
        if run.former_version:
            self.stdout.write(f"Back: manage.py activate_release {run.former_version}")
