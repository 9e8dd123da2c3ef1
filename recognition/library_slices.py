"""A slice of a library run: who works at it now, for how long, and what ends it.

A process that works at a run holds a lease in its row and renews it every second; a
second delivery finds it held. What has to be known to go on is written before it is
done, so that a process can die anywhere.
"""

from recognition import (
    library_evaluation,
    library_identification,
    library_rematching,
    library_runs,
    local_sync,
)
from recognition.exceptions import LibraryRunStuck
from recognition.models import LibraryRun
from recognition.slice_at_work import LibrarySlice
from stashsense.slices.leases import hand_on, leased, renewed
from stashsense.slices.work import failures_written

State = LibraryRun.State

# Other tasks wait this long for their turn at most.
SLICE_SECONDS = 20.0
# Processes that may die at a run without its getting on.
MAX_DEATHS = 3


def work_at_slice(run_id: int, number: int, *, seconds: float | None = None) -> None:
    """Work at a run for a while and ask for the next slice, or end it.

    Does nothing for a slice that was overtaken or is worked at. Raises only what
    nobody foresaw, after the row was written.
    """
    with leased(LibraryRun, run_id, number) as run:
        if run is None:
            return
        with renewed(run) as lost:
            at_work = LibrarySlice(run, seconds or SLICE_SECONDS, lost)
            _work(run, at_work)


def _work(run: LibraryRun, at_work: LibrarySlice) -> None:
    with failures_written(
        run, lambda error: library_runs.end_run(run, State.FAILED, error=error)
    ):
        if _go_on(run, at_work):
            library_runs.end_run(run, State.COMPLETE)
            # A scene may have been kept while another release was activated.
            library_runs.rematch_if_outdated()
            library_runs.identify_enqueued_if_due()
        else:
            hand_on(run, library_runs.TASK)


def _go_on(run: LibraryRun, at_work: LibrarySlice) -> bool:
    if run.death_count >= MAX_DEATHS:
        raise LibraryRunStuck(
            f"The process that worked at it died {run.death_count} times. What is done "
            "stays done; a new run goes on from there."
        )
    match run.kind:
        case LibraryRun.Kind.IDENTIFY | LibraryRun.Kind.ENQUEUED:
            return library_identification.go_on(at_work)
        case LibraryRun.Kind.EVALUATE:
            return library_evaluation.go_on(at_work)
        case LibraryRun.Kind.LOCAL:
            return local_sync.go_on(at_work)
    return library_rematching.go_on(at_work)
