"""When runs start by themselves."""

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from recommendations import runs
from recommendations.exceptions import (
    AnalysisInProgress,
    InvalidSchedule,
    UnknownAnalysis,
    UnknownSchedule,
)
from recommendations.models import AnalysisRun, AnalysisSchedule
from recommendations.run_types import RunType, all_run_types, get_run_type
from recommendations.runs import Asker
from stashsense.exceptions import StashSenseError
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

# Priorities of people's making; the predecessor has 0 for critical and 100 for low.
MAX_PRIORITY = 1000


def all_schedules() -> list[AnalysisSchedule]:
    """Return the schedule of every type by name, those nobody set as they begin."""
    kept = {row.type: row for row in AnalysisSchedule.objects.all()}
    return [
        kept.get(name) or _first(run_type)
        for name, run_type in sorted(all_run_types().items())
    ]


def set_schedule(
    type: str, *, is_enabled: bool, interval_hours: float, priority: int | None = None
) -> AnalysisSchedule:
    """Store when a type starts by itself.

    The next start is an interval from now, or from the last one where only the interval
    changes; it stays where nothing does. Raises UnknownSchedule or InvalidSchedule.
    """
    try:
        run_type = get_run_type(type)
    except UnknownAnalysis as error:
        raise UnknownSchedule(str(error)) from error
    if interval_hours not in run_type.allowed_hours:
        allowed = ", ".join(map(str, run_type.allowed_hours))
        raise InvalidSchedule(f"{type} can start every {allowed} hours.")
    if priority is not None and not 0 <= priority <= MAX_PRIORITY:
        raise InvalidSchedule(f"A priority is from 0 to {MAX_PRIORITY}.")
    with in_turn():
        first = _first(run_type)
        row, _ = AnalysisSchedule.objects.select_for_update().get_or_create(
            type=type,
            defaults={
                "interval_hours": first.interval_hours,
                "priority": first.priority,
            },
        )
        was_enabled = row.is_enabled
        is_same = was_enabled and row.interval_hours == interval_hours
        row.is_enabled = is_enabled
        row.interval_hours = interval_hours
        row.priority = row.priority if priority is None else priority
        if not is_enabled:
            row.next_run_at = None
        elif not is_same or row.next_run_at is None:
            row.next_run_at = _next(row, was_enabled)
        row.save()
    return row


def begin_due_runs() -> None:
    """Queue the runs whose time has come; what cannot start is tried an interval on."""
    now = timezone.now()
    for row in AnalysisSchedule.objects.filter(is_enabled=True, next_run_at__lte=now):
        taken = AnalysisSchedule.objects.filter(
            pk=row.pk, next_run_at=row.next_run_at
        ).update(last_run_at=now, next_run_at=now + timedelta(hours=row.interval_hours))
        if not taken:
            continue
        try:
            runs.request_run(
                row.type,
                asker=Asker(AnalysisRun.Asker.SCHEDULE),
                priority=row.priority,
            )
        except AnalysisInProgress:
            logger.info("%s is in progress already", row)
        except StashSenseError as error:
            logger.warning("%s was due and did not start: %s", row, error)


def interval_label(hours: int) -> str:
    """Return how people call an interval: "Every 6 hours", "Every day"."""
    days, rest = divmod(hours, 24)
    if rest:
        return f"Every {hours} hours"
    return "Every day" if days == 1 else f"Every {days} days"


def _first(run_type: RunType) -> AnalysisSchedule:
    return AnalysisSchedule(
        type=run_type.type,
        interval_hours=run_type.default_interval_hours,
        priority=run_type.default_priority,
    )


def _next(row: AnalysisSchedule, was_enabled: bool) -> datetime:
    now = timezone.now()
    interval = timedelta(hours=row.interval_hours)
    if was_enabled and row.last_run_at is not None:
        return max(row.last_run_at + interval, now)
    return now + interval
