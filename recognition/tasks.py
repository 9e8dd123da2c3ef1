"""What django-q2 calls, and what happens when one of its processes starts.

Every process loads this module; few need what the work takes.
"""

from typing import Any

from django.dispatch import receiver
from django_q.models import Schedule
from django_q.signals import post_spawn

LOOK_TASK = "recognition.tasks.look_after_library"
# A run whose process died on another machine waits so long for somebody to see it.
LOOK_MINUTES = 5


def work_at_library_run(run_id: int, slice_number: int) -> None:
    """Work at the run for a while; its row says how far it is."""
    from recognition.library_slices import work_at_slice

    work_at_slice(run_id, slice_number)


def look_after_library() -> None:
    """Go on with runs nobody works at, and match what is kept of another release."""
    from recognition.library_runs import rematch_if_outdated, take_up_dead_runs

    take_up_dead_runs()
    rematch_if_outdated()


def ensure_schedule() -> None:
    """Have the background look after library runs now and then."""
    Schedule.objects.get_or_create(
        func=LOOK_TASK,
        defaults={
            "name": "Look after library runs",
            "schedule_type": Schedule.MINUTES,
            "minutes": LOOK_MINUTES,
        },
    )


@receiver(post_spawn)
def look_after_dead_runs(**_: Any) -> None:
    """Go on with a run whose process has just been replaced by this one."""
    from recognition.library_runs import take_up_dead_runs

    take_up_dead_runs()
