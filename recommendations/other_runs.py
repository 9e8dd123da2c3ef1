"""Runs of the queue whose work other parts of the service do; their rows are followed.

What those parts start themselves, or were asked for elsewhere, is not in the queue.
"""

from dataclasses import dataclass

from django.utils import timezone

from dbupdates import runs as update_runs
from dbupdates import updates
from dbupdates.exceptions import AlreadyLatest
from dbupdates.models import UpdateRun
from dbupdates.progress import Phase
from dbupdates.runs import Asker as UpdateAsker
from recognition import library_runs
from recognition.exceptions import LibraryRunInProgress
from recognition.library_runs import LibraryAsker, LibraryOptions
from recognition.models import LibraryRun
from recommendations.models import AnalysisRun
from recommendations.run_types import DATABASE_UPDATE, FINGERPRINT_GENERATION
from stashsense.exceptions import StashSenseError

State = AnalysisRun.State

_LIBRARY_STATES = {
    LibraryRun.State.COMPLETE: State.COMPLETED,
    LibraryRun.State.FAILED: State.FAILED,
    LibraryRun.State.CANCELLED: State.CANCELLED,
}
_UPDATE_STATES = {
    Phase.COMPLETE: State.COMPLETED,
    Phase.FAILED: State.FAILED,
    Phase.CANCELLED: State.CANCELLED,
}
_LIBRARY_ASKERS = {
    AnalysisRun.Asker.ADMIN: LibraryRun.Asker.ADMIN,
    AnalysisRun.Asker.API: LibraryRun.Asker.API,
    AnalysisRun.Asker.PLUGIN: LibraryRun.Asker.PLUGIN,
    AnalysisRun.Asker.COMMAND: LibraryRun.Asker.COMMAND,
    AnalysisRun.Asker.SCHEDULE: LibraryRun.Asker.SCHEDULE,
}
_UPDATE_ASKERS = {
    AnalysisRun.Asker.ADMIN: UpdateRun.Asker.ADMIN,
    AnalysisRun.Asker.API: UpdateRun.Asker.API,
    AnalysisRun.Asker.PLUGIN: UpdateRun.Asker.PLUGIN,
    AnalysisRun.Asker.COMMAND: UpdateRun.Asker.COMMAND,
    AnalysisRun.Asker.SCHEDULE: UpdateRun.Asker.SCHEDULE,
}


@dataclass(frozen=True)
class Facts:
    """How far a followed run is; `state` is None until it has ended."""

    total_count: int
    done_count: int
    state: AnalysisRun.State | None
    error: str = ""


def is_done_elsewhere(type: str) -> bool:
    """Return whether another part of the service does the work of this type."""
    return type in (FINGERPRINT_GENERATION, DATABASE_UPDATE)


def begin(run: AnalysisRun) -> None:
    """Have the other part begin, and note what is followed; or end the run.

    Nothing where it has begun. What it does may take seconds.
    """
    if run.followed_id is not None:
        return
    try:
        followed_id = _begun(run)
    except AlreadyLatest as reason:
        _end(run, State.COMPLETED, note=str(reason))
    except StashSenseError as error:
        _end(run, State.FAILED, error=str(error), error_code=error.code)
    else:
        is_followed = run.rows_in_progress.update(followed_id=followed_id)
        run.refresh_from_db()
        if not is_followed:
            # Somebody stopped it while it began.
            run.followed_id = followed_id
            stop(run)


def stop(run: AnalysisRun) -> None:
    """Have the other part end what is followed."""
    if run.type == FINGERPRINT_GENERATION:
        for followed in LibraryRun.objects.in_progress().filter(
            pk=run.followed_id or 0
        ):
            library_runs.stop_run(followed)
    else:
        for update in UpdateRun.objects.in_progress().filter(pk=run.followed_id or 0):
            update_runs.cancel_run(
                update, asker=UpdateAsker(_UPDATE_ASKERS[_way(run)], run.user)
            )


def facts_of(run: AnalysisRun) -> Facts | None:
    """Return how far it is; None where it is not followed."""
    if run.type == FINGERPRINT_GENERATION:
        library = LibraryRun.objects.filter(pk=run.followed_id or 0).first()
        if library is None:
            return _forgotten()
        return Facts(
            library.total_count,
            library.done_count,
            _LIBRARY_STATES.get(LibraryRun.State(library.state)),
            library.error,
        )
    update = UpdateRun.objects.filter(pk=run.followed_id or 0).first()
    if update is None:
        return _forgotten()
    return Facts(
        100,
        update.percent,
        _UPDATE_STATES.get(Phase(update.phase)),
        update.error,
    )


def _begun(run: AnalysisRun) -> int:
    if run.type == FINGERPRINT_GENERATION:
        asker = LibraryAsker(_LIBRARY_ASKERS[_way(run)], run.user)
        try:
            return library_runs.identify_library(LibraryOptions(), asker=asker).pk
        except LibraryRunInProgress:
            # Whoever asked for it, it does what is wanted here.
            return library_runs.get_run_in_progress(LibraryRun.Kind.IDENTIFY).pk
    update_asker = UpdateAsker(_UPDATE_ASKERS[_way(run)], run.user)
    return updates.request_update(asker=update_asker).pk


def _way(run: AnalysisRun) -> AnalysisRun.Asker:
    return AnalysisRun.Asker(run.asked_by)


def _forgotten() -> Facts:
    return Facts(0, 0, State.FAILED, "What was followed is no longer kept.")


def _end(run: AnalysisRun, state: AnalysisRun.State, **facts: str) -> None:
    run.rows_in_progress.update(state=state, ended_at=timezone.now(), **facts)
    run.refresh_from_db()
