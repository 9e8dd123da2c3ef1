"""Following a run of the queue from a terminal, to its end."""

import time
from collections.abc import Callable

from django.core.management.base import CommandError

from recommendations import runs
from recommendations.execution import work_at_slice
from recommendations.models import AnalysisRun
from recommendations.runs import Asker
from stashsense.slices.leases import is_held

ASKER = Asker(AnalysisRun.Asker.COMMAND)
FOLLOW_SECONDS = 0.5
# The background looks into its queue once a second.
PATIENCE_SECONDS = 10.0

State = AnalysisRun.State


def follow(run: AnalysisRun, tell: Callable[[str], None]) -> None:
    """Tell how far the run is until it has ended; ends the command unless completed.

    Where no background process takes it, it is worked at here.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    told = ""
    while run.is_in_progress:
        if _is_left_alone(run) and time.monotonic() > until:
            tell("No background process takes it: working at it here.")
            _work_here(run)
        line = _line(run)
        if line != told:
            tell(line)
            told = line
        if run.is_in_progress:
            time.sleep(FOLLOW_SECONDS)
            run.refresh_from_db()
            runs.follow(run)
    if _line(run) != told:
        tell(_line(run))
    if run.state != State.COMPLETED:
        raise CommandError(run.error or f"The run was {run.state}.")


def _is_left_alone(run: AnalysisRun) -> bool:
    """Whether it has its turn, is ours to work at, and nobody ever began to."""
    return (
        run.state == State.RUNNING
        and run.followed_id is None
        and run.slice_number == 1
        and not run.cursor
        and not is_held(run)
    )


def _work_here(run: AnalysisRun) -> None:
    while run.state == State.RUNNING and run.followed_id is None:
        work_at_slice(run.pk, run.slice_number)
        run.refresh_from_db()


def _line(run: AnalysisRun) -> str:
    if run.state == State.QUEUED:
        return "Waiting for others to end."
    # Some do not know beforehand how many there are.
    total = f" of {run.total_count}" if run.total_count else " done"
    line = (
        f"{run.done_count}{total}: {run.found_count} found, "
        f"{run.created_count} newly recommended."
    )
    return f"{line} {run.note}" if run.note else line
