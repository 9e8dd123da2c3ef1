"""manage.py update_database: get the newest release, or look whether there is one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbupdates import runs
from dbupdates.management.terminal import ASKER, follow_or_work
from dbupdates.published import FeedStatus, check_feed
from dbupdates.updates import request_update
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = "Download the newest release and serve it; the background does the work."

    def create_parser(
        self, prog_name: str, subcommand: str, **options: Any
    ) -> CommandParser:
        # Django's own --version tells its version; here it names a release.
        return super().create_parser(
            prog_name, subcommand, **options, conflict_handler="resolve"
        )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check", action="store_true", help="only tell whether there is one"
        )
        what.add_argument(
            "--cancel", action="store_true", help="cancel the update in progress"
        )
        what.add_argument("--version", dest="release", help="this one, not the newest")
        parser.add_argument(
            "--wait",
            action="store_true",
            help="show how far it is until it has ended; works without the service",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        with errors_as_sentences():
            if options["check"]:
                self._tell(check_feed(is_forced=True))
            elif options["cancel"]:
                run = runs.get_run_in_progress()
                runs.cancel_run(run, asker=ASKER)
                self.stdout.write(f"Cancelled: {run}.")
            else:
                self._update(options["release"] or "", is_waiting=options["wait"])

    def _tell(self, status: FeedStatus) -> None:
        if status.error:
            self.stderr.write(status.error)
        if status.latest is None:
            self.stdout.write("No published release is known.")
            return
        size = f"{status.latest.archive_bytes / 1e6:,.0f} MB"
        if not status.is_newer:
            news = "it is not newer than the active one"
        elif not status.latest.is_obtainable:
            news = "there is nothing to download"
        elif status.latest.is_installed:
            news = "it is installed already"
        else:
            news = f"{size} to download"
        self.stdout.write(
            f"Active: {status.active or 'none'}. "
            f"Newest published: {status.latest}; {news}."
        )

    def _update(self, version: str, *, is_waiting: bool) -> None:
        run = request_update(asker=ASKER, version=version)
        self.stdout.write(f"Asked for release {run.version} (run {run.job_id}).")
        if not is_waiting:
            self.stdout.write("The service works at it; --wait follows it.")
            return
        follow_or_work(run, self.stdout)
        self.stdout.write(f"Release {run.version} is active.")
