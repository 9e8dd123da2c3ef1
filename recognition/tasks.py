"""What django-q2 calls, and what happens when one of its processes starts."""

from typing import Any

from django.dispatch import receiver
from django_q.models import Schedule
from django_q.signals import post_spawn
from django_q.tasks import async_task

from recognition.library_runs import (
    identify_enqueued_if_due,
    rematch_if_outdated,
    sync_local_if_due,
    take_up_dead_runs,
)
from recognition.model_downloads import (
    execute_download,
    look_after_dead_downloads,
)
from stashsense.schedules import ensure

LOOK_TASK = "recognition.tasks.look_after_library"
# A run whose process died on another machine waits so long for somebody to see it.
LOOK_MINUTES = 5
GROUP_TASK = "recognition.tasks.group_people"


def download_model(download_id: int) -> None:
    """Work at the download until it has ended; its row says how."""
    execute_download(download_id)


def work_at_library_run(run_id: int, slice_number: int) -> None:
    """Work at the run for a while; its row says how far it is."""
    # Every process loads this module; few need what the work takes.
    from recognition.library_slices import work_at_slice

    work_at_slice(run_id, slice_number)


def look_after_library() -> None:
    """Go on with runs nobody works at, and begin what is due: identifying scenes that
    were enqueued, learning the library's own performers, and matching what is kept of
    other faces than those of now."""
    take_up_dead_runs()
    identify_enqueued_if_due()
    sync_local_if_due()
    rematch_if_outdated()
    group_people()


def identify_enqueued() -> None:
    """Begin to identify the enqueued scenes that are due, in a run of theirs."""
    identify_enqueued_if_due()


def group_people() -> None:
    """Put unknown people to those who are the same; the rest of them in a next task."""
    from recognition.people_grouping import group_waiting

    if not group_waiting():
        async_task(GROUP_TASK)


def regroup_people() -> None:
    """Group all unknown people anew, in a later task if many were added."""
    from recognition.people_grouping import REGROUP_TASK, regroup

    if not regroup():
        async_task(REGROUP_TASK)


def ensure_grouping() -> None:
    """Have unknown people grouped within a minute, once for all that change by then."""
    if not Schedule.objects.filter(func=GROUP_TASK).exists():
        Schedule.objects.create(
            func=GROUP_TASK, name="Group unknown people", schedule_type=Schedule.ONCE
        )


def ensure_schedule() -> None:
    """Have the background look after library runs now and then."""
    ensure(LOOK_TASK, "Look after library runs", minutes=LOOK_MINUTES)


@receiver(post_spawn)
def look_after_downloads(**_: Any) -> None:
    """Go on with downloads whose process has died, or that nobody has begun."""
    look_after_dead_downloads()


@receiver(post_spawn)
def look_after_dead_runs(**_: Any) -> None:
    """Go on with library runs whose process has died."""
    take_up_dead_runs()
