"""What the commands about the library share: following a run to its end."""

import time
from collections.abc import Callable

from django.core.management.base import CommandError

from recognition.library_runs import LibraryAsker
from recognition.library_slices import work_at_slice
from recognition.models import LibraryRun

ASKER = LibraryAsker(LibraryRun.Asker.COMMAND)
FOLLOW_SECONDS = 0.5
# The background looks into its queue once a second.
PATIENCE_SECONDS = 10.0


def follow(run: LibraryRun, tell: Callable[[str], None]) -> None:
    """Tell how far the run is until it has ended; ends the command unless complete.

    Where no background process takes it, it is worked at here.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    told = ""
    while run.is_in_progress:
        if run.state == LibraryRun.State.QUEUED and time.monotonic() > until:
            tell("No background process takes it: working at it here.")
            _work_here(run)
        line = _line(run)
        if line != told:
            tell(line)
            told = line
        time.sleep(FOLLOW_SECONDS)
        run.refresh_from_db()
    tell(_line(run))
    if run.state != LibraryRun.State.COMPLETE:
        raise CommandError(run.error or f"The run was {run.state}.")


def _work_here(run: LibraryRun) -> None:
    while run.is_in_progress:
        work_at_slice(run.pk, run.slice_number)
        run.refresh_from_db()


def _line(run: LibraryRun) -> str:
    line = (
        f"{run.done_count} of {run.total_count}: {run.succeeded_count} succeeded, "
        f"{run.failed_count} failed, {run.skipped_count} passed over"
    )
    if run.changed_count:
        line += f", {run.changed_count} changed"
    return f"{line}. Waiting: {run.waiting_for}" if run.waiting_for else f"{line}."
