"""manage.py identify_library: have every scene of Stash identified."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from recognition import library_runs
from recognition.library_runs import LibraryOptions
from recognition.management.library_terminal import ASKER, follow
from recognition.models import LibraryRun
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = "Identify every scene that is not yet; the running service does the work."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--wait", action="store_true", help="tell how far it is until it has ended"
        )
        what.add_argument(
            "--stop", action="store_true", help="stop the run; what is done stays done"
        )

    def handle(self, *_args: Any, wait: bool, stop: bool, **_options: Any) -> None:
        with errors_as_sentences():
            if stop:
                run = library_runs.get_run_in_progress(LibraryRun.Kind.IDENTIFY)
                library_runs.stop_run(run)
                self.stdout.write(f"Stopped {run}.")
                return
            run = library_runs.identify_library(LibraryOptions(), asker=ASKER)
            self.stdout.write(f"Asked for ({run}).")
            if wait:
                follow(run, self.stdout.write)
