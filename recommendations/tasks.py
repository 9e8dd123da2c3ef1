"""What django-q2 calls, and what happens when one of its processes starts."""

from typing import Any

from django.dispatch import receiver
from django_q.signals import post_spawn

from recommendations import runs, schedules
from stashsense.schedules import ensure

LOOK_TASK = "recommendations.tasks.look_after_analyses"
LOOK_MINUTES = 1


def work_at_analysis(run_id: int, slice_number: int) -> None:
    """Work at the run for a while; its row says how far it is."""
    # Every process loads this module; few need what the work takes.
    from recommendations.execution import work_at_slice

    work_at_slice(run_id, slice_number)


def look_after_analyses() -> None:
    """Begin what is due, and go on with runs nobody works at."""
    schedules.begin_due_runs()
    runs.look_after_runs()


def ensure_schedule() -> None:
    """Have the background look after analyses every minute."""
    ensure(LOOK_TASK, "Look after analyses", minutes=LOOK_MINUTES)


@receiver(post_spawn)
def look_after_dead_runs(**_: Any) -> None:
    """Go on with analyses whose process has died."""
    runs.look_after_runs()
