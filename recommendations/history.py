"""Runs as people look them up: of now, of before, and of which type."""

from dataclasses import dataclass

from recommendations import runs
from recommendations.exceptions import AnalysisRunNotFound
from recommendations.models import AnalysisRun
from recommendations.models.runs import AnalysisRunQuerySet
from recommendations.run_types import DATABASE_UPDATE, FINGERPRINT_GENERATION

State = AnalysisRun.State


@dataclass(frozen=True)
class QueueStatus:
    """How many runs wait for room, and those that are worked at."""

    queued_count: int
    running: list[AnalysisRun]


def queue_status() -> QueueStatus:
    """Return what goes on."""
    bring_up_to_date()
    running = AnalysisRun.objects.filter(state=State.RUNNING).order_by("pk")
    queued = AnalysisRun.objects.filter(state=State.QUEUED)
    return QueueStatus(queued.count(), [*running])


def find_runs(*, type: str = "", state: str = "") -> AnalysisRunQuerySet:
    """Return runs, the latest first."""
    bring_up_to_date()
    found = AnalysisRun.objects.order_by("-pk")
    if type:
        found = found.filter(type=type)
    if state:
        found = found.filter(state=state)
    return found


def find_analysis_runs(*, type: str = "") -> AnalysisRunQuerySet:
    """Return runs of analyses alone, the latest first."""
    return find_runs(type=type).exclude(
        type__in=(FINGERPRINT_GENERATION, DATABASE_UPDATE)
    )


def bring_up_to_date() -> None:
    """Bring rows up to date whose work other parts do; a few at most go on."""
    followed = AnalysisRun.objects.in_progress().filter(followed_id__isnull=False)
    for run in followed:
        runs.follow(run)


def get_run_in_progress(type: str) -> AnalysisRun:
    """Return the run of a type that has not ended; or raise AnalysisRunNotFound."""
    run = AnalysisRun.objects.in_progress().filter(type=type).first()
    if run is None:
        raise AnalysisRunNotFound(f"No run of {type} is in progress.")
    return run
