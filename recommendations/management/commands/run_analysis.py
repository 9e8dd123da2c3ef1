"""manage.py run_analysis: have the library looked through for what is to tidy."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommendations import history, runs
from recommendations.management.run_terminal import ASKER, follow
from recommendations.run_types import all_run_types, get_run_type
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = "Begin an analysis of the library; the running service does the work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("type", nargs="?", help="which; --list shows them")
        parser.add_argument(
            "--full",
            action="store_true",
            help="look at everything, and not only at what changed since last time",
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--list", action="store_true", help="show what can be run")
        what.add_argument(
            "--wait", action="store_true", help="tell how far it is until it has ended"
        )
        what.add_argument(
            "--stop", action="store_true", help="stop the run; what it found stays"
        )

    def handle(
        self,
        *_args: Any,
        type: str | None,
        full: bool,
        list: bool,
        wait: bool,
        stop: bool,
        **_options: Any,
    ) -> None:
        if list:
            self._list()
            return
        if type is None:
            raise CommandError("Say which analysis is to run; --list shows them.")
        with errors_as_sentences():
            if stop:
                run = history.get_run_in_progress(get_run_type(type).type)
                runs.stop_run(run)
                self.stdout.write(f"Stopped {run}. What it found stays.")
                return
            run = runs.request_run(type, asker=ASKER, is_full=full)
            self.stdout.write(f"Asked for ({run}).")
            if wait:
                follow(run, self.stdout.write)

    def _list(self) -> None:
        types = all_run_types()
        width = max(map(len, types))
        for name, run_type in types.items():
            self.stdout.write(f"{name:<{width}}  {run_type.description}")
