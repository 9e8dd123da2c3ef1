"""The life of a run's row: asked for, given room, worked at, ended.

A run is queued until its resource has room; then it is worked at in slices, tasks of
some seconds, of which each asks for the next. So no run keeps another from its turn,
and a process can die anywhere.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError
from django.utils import timezone

from recommendations import other_runs
from recommendations.exceptions import (
    AnalysisInProgress,
    AnalysisNotEnded,
    AnalysisRunNotFound,
)
from recommendations.models import AnalysisRun
from recommendations.run_types import SLOTS, all_run_types, get_run_type
from stashsense.integrations.stash import configured_client
from stashsense.slices.leases import count_death, hand_on, is_held
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

State = AnalysisRun.State

TASK = "recommendations.tasks.work_at_analysis"


@dataclass(frozen=True)
class Asker:
    """Who wants a run: by which way, and the person where one is known."""

    way: AnalysisRun.Asker
    user: User | None = None


def request_run(
    type: str,
    *,
    asker: Asker,
    is_full: bool = False,
    priority: int | None = None,
    cursor: Mapping[str, Any] | None = None,
    pass_id: int = 0,
) -> AnalysisRun:
    """Queue a run; returns at once. It begins when its resource has room.

    Raises UnknownAnalysis, AnalysisInProgress or StashNotConfigured. What the part
    refuses with that does the work of a type that is no analysis, the row tells.
    """
    run_type = get_run_type(type)
    if run_type.analyzer is not None:
        configured_client()
    try:
        with in_turn():
            run = AnalysisRun.objects.create(
                type=type,
                asked_by=asker.way,
                user=asker.user,
                is_full=is_full,
                priority=run_type.default_priority if priority is None else priority,
                cursor=dict(cursor or {}),
                pass_id=pass_id,
            )
            if not pass_id:
                run.pass_id = run.pk
                run.save(update_fields=["pass_id"])
            dispatch()
    except IntegrityError as exc:
        raise AnalysisInProgress(
            f"{run_type.display_name}: a run of it has not ended."
        ) from exc
    run.refresh_from_db()
    logger.info("%s asked for by %s", run, asker.way)
    return run


def dispatch() -> None:
    """Begin queued runs for which there is room, the most urgent first."""
    types = all_run_types()
    with in_turn():
        running = AnalysisRun.objects.filter(state=State.RUNNING)
        taken = Counter(
            types[run.type].resource for run in running if run.type in types
        )
        queued = AnalysisRun.objects.filter(state=State.QUEUED)
        for run in queued.order_by("priority", "pk"):
            run_type = types.get(run.type)
            if run_type is None:
                end_run(run, State.FAILED, error="There is no such type any more.")
            elif taken[run_type.resource] < SLOTS[run_type.resource]:
                taken[run_type.resource] += 1
                _begin(run)


def stop_run(run: AnalysisRun) -> bool:
    """End a run now; what it found stays. Returns whether it had not ended before.

    Who works at it sees that within about a second, and gives up.
    """
    if run.followed_id is not None:
        other_runs.stop(run)
    is_stopped = end_run(run, State.CANCELLED)
    dispatch()
    return is_stopped


def retry_run(run: AnalysisRun, *, asker: Asker) -> AnalysisRun:
    """Queue a new run that goes on where one that failed or was cancelled ended."""
    if run.state not in (State.FAILED, State.CANCELLED):
        raise AnalysisNotEnded(
            f"{run} is {run.state}; what failed or was cancelled can be tried again."
        )
    return request_run(
        run.type,
        asker=asker,
        is_full=run.is_full,
        priority=run.priority,
        cursor=run.cursor,
        # Without a cursor everything is looked at again.
        pass_id=run.pass_id if run.cursor else 0,
    )


def end_run(
    run: AnalysisRun,
    state: AnalysisRun.State,
    *,
    error: BaseException | str = "",
) -> bool:
    """Write how a run ended; return whether this did, for it may have ended before."""
    now = timezone.now()
    ended = run.rows_in_progress.update(
        state=state,
        error=str(error),
        error_code=getattr(error, "code", "error" if error else ""),
        held_until=None,
        heartbeat_at=now,
        ended_at=now,
    )
    run.refresh_from_db()
    if ended:
        logger.info("%s is %s %s", run, state, error)
    return bool(ended)


def get_run(pk: int) -> AnalysisRun:
    """Return it, brought up to date; or raise AnalysisRunNotFound."""
    run = AnalysisRun.objects.filter(pk=pk).first()
    if run is None:
        raise AnalysisRunNotFound(f"There is no run {pk}.")
    follow(run)
    return run


def clear_history() -> int:
    """Forget the runs that have ended; returns how many."""
    return AnalysisRun.objects.ended().delete()[0]


def look_after_runs() -> None:
    """Go on with runs nobody works at, and begin those that there is room for.

    A task may have been lost with its process; a second one does no harm.
    """
    try:
        for run in AnalysisRun.objects.filter(state=State.RUNNING):
            if run.followed_id is not None:
                follow(run)
            elif not is_held(run):
                count_death(run)
                hand_on(run, TASK)
        dispatch()
    except DatabaseError:
        # Whoever starts next looks again; this process has other work to do.
        logger.exception("Dead runs could not be looked for")


def follow(run: AnalysisRun) -> None:
    """Bring a run's row up to date whose work another part does."""
    if run.followed_id is None or not run.is_in_progress:
        return
    facts = other_runs.facts_of(run)
    if facts is None:
        return
    run.rows_in_progress.update(
        total_count=facts.total_count,
        done_count=facts.done_count,
        heartbeat_at=timezone.now(),
    )
    run.refresh_from_db()
    if facts.state is not None:
        end_run(run, facts.state, error=facts.error)
        dispatch()


def _begin(run: AnalysisRun) -> None:
    # What another part does begins in the background too: it may have to ask for what
    # is published, while here everybody waits who writes.
    run.rows_in_progress.update(state=State.RUNNING, started_at=timezone.now())
    run.refresh_from_db()
    hand_on(run, TASK)
