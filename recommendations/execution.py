"""A slice of an analysis: what it finds is stored, and what ends it."""

import logging
import time
from contextlib import closing

from django.db.models import F

from recommendations import findings, other_runs, runs
from recommendations.analyzers.base import Analyzer, Step, Work
from recommendations.exceptions import AnalysisStuck, UnknownAnalysis
from recommendations.models import AnalysisRun
from recommendations.run_types import get_analyzer
from stashsense.integrations.stash import configured_client
from stashsense.slices.leases import hand_on, leased, renewed
from stashsense.slices.work import SliceAtWork, failures_written
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

State = AnalysisRun.State

# Other tasks wait this long for their turn at most, but for analyses that cannot be
# closed where they are.
SLICE_SECONDS = 20.0
# Processes that may die at a run without its getting on.
MAX_DEATHS = 3


def work_at_slice(run_id: int, number: int, *, seconds: float | None = None) -> None:
    """Work at a run for a while and ask for the next slice, or end it.

    Does nothing for a slice that was overtaken or is worked at. Raises only what nobody
    foresaw, after the row was written.
    """
    with leased(AnalysisRun, run_id, number) as run:
        if run is None:
            return
        with renewed(run) as lost:
            if other_runs.is_done_elsewhere(run.type):
                other_runs.begin(run)
            else:
                limit = SLICE_SECONDS if seconds is None else seconds
                _work(SliceAtWork(run, limit, lost))
    runs.dispatch()


def _work(at_work: SliceAtWork[AnalysisRun]) -> None:
    run = at_work.run
    with failures_written(
        run, lambda error: runs.end_run(run, State.FAILED, error=error)
    ):
        if _go_on(at_work):
            runs.end_run(run, State.COMPLETED)
        else:
            hand_on(run, runs.TASK)


def _go_on(at_work: SliceAtWork[AnalysisRun]) -> bool:
    """Return whether the analysis came to its end, rather than to the slice's."""
    run = at_work.run
    if run.death_count >= MAX_DEATHS:
        raise AnalysisStuck(
            f"The process that worked at it died {run.death_count} times. What it "
            "found stays."
        )
    try:
        analyzer = get_analyzer(run.type)
    except UnknownAnalysis as error:
        raise AnalysisStuck(str(error)) from error
    first = AnalysisRun.objects.filter(pk=run.pass_id).first() or run
    work = Work(
        stash=configured_client().stopped_by(at_work.check),
        is_full=run.is_full,
        began_at=first.started_at or first.created_at,
        cursor=run.cursor,
        check=at_work.check,
    )
    is_ready = False
    with closing(analyzer.analyze(work)) as steps:
        for step in steps:
            at_work.check()
            _store(analyzer, step, at_work)
            if not step.cursor:
                continue
            if not is_ready:
                # Some read the library first, each time they go on: a slice without
                # time for more than that would get on by a single step.
                at_work.begin()
                is_ready = True
            if at_work.is_over():
                return False
    at_work.check()
    return True


def _store(analyzer: Analyzer, step: Step, at_work: SliceAtWork[AnalysisRun]) -> None:
    """Store what a step brought and that the run got on, or nothing of it."""
    run = at_work.run
    began = time.monotonic()
    with in_turn():
        # First: it holds the row, and a run that was stopped stores nothing more.
        at_work.write(**_progress(step))
        recorded = findings.record(analyzer, step.findings, pass_id=run.pass_id)
        findings.clear(analyzer.type, step.cleared)
        for endpoint in step.sweeps:
            findings.sweep(analyzer.type, endpoint, pass_id=run.pass_id)
        if step.write is not None:
            step.write()
        run.own_rows.update(
            found_count=F("found_count") + recorded.found_count,
            created_count=F("created_count") + recorded.created_count,
        )
    logger.debug(
        "%s: %d found, stored in %.3f s",
        run,
        recorded.found_count,
        time.monotonic() - began,
    )


def _progress(step: Step) -> dict[str, object]:
    facts: dict[str, object] = {}
    if step.cursor is not None:
        facts["cursor"] = dict(step.cursor)
        # Without one, whoever goes on does all of it again and may die of it again.
        facts["death_count"] = 0
    for name in ("done_count", "total_count", "note"):
        value = getattr(step, name)
        if value is not None:
            facts[name] = value
    return facts
