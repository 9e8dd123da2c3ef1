"""manage.py import_predecessor: bring along what the predecessor's database holds."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from recommendations.predecessor import import_predecessor, rehearse_import
from recommendations.predecessor_reader import KNOWN_VERSION
from recommendations.predecessor_report import lines_of
from stashsense.terminal import errors_as_sentences


class Command(BaseCommand):
    help = (
        "Bring dismissals, settings, schedules and recommendations along from the "
        "predecessor's database. What is here is left as it is; so is that file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            type=Path,
            help="the predecessor's stash_sense.db, or predecessor.db",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would be done, and do not"
        )

    def handle(self, *_args: Any, path: Path, dry_run: bool, **_options: Any) -> None:
        with errors_as_sentences():
            report = rehearse_import(path) if dry_run else import_predecessor(path)
        for line in lines_of(report, KNOWN_VERSION):
            self.stdout.write(line)
        self.stdout.write("")
        count = report.imported_count
        self.stdout.write(
            f"Nothing was changed; {count:,} rows would be imported."
            if dry_run
            else f"{count:,} rows were imported."
        )
