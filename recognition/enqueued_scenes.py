"""Scenes that somebody told of, such as a hook of Stash: who waits, and until when.

Nothing here asks Stash or looks at a scene; a run of the background does that.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone
from django_q.models import Schedule

from recognition.models import EnqueuedScene
from stashsense.integrations.stash import configured_client

# Stash calls its hooks while it scans, and makes covers and sprites thereafter.
SETTLE = timedelta(minutes=2)
# A scene that failed may be of a file that is still being written.
RETRY = timedelta(minutes=10)
BEGIN_TASK = "recognition.tasks.identify_enqueued"
_ROWS_PER_QUERY = 500


def enqueue(scene_ids: Iterable[int]) -> int:
    """Have these scenes identified in a while; return how many wait in all.

    One that waits already waits no longer for it. Raises StashNotConfigured; Stash is
    not asked.
    """
    configured_client()
    due_at = timezone.now() + SETTLE
    EnqueuedScene.objects.bulk_create(
        [EnqueuedScene(stash_id=id, due_at=due_at) for id in dict.fromkeys(scene_ids)],
        batch_size=_ROWS_PER_QUERY,
        ignore_conflicts=True,
    )
    begin_later()
    return waiting_count()


def waiting_count() -> int:
    """Return how many scenes wait, due or not."""
    return EnqueuedScene.objects.count()


def due_count() -> int:
    """Return how many scenes are to be identified now."""
    return EnqueuedScene.objects.filter(due_at__lte=timezone.now()).count()


def find_due() -> int | None:
    """Return the scene that has been due for longest."""
    due = EnqueuedScene.objects.filter(due_at__lte=timezone.now())
    return due.values_list("stash_id", flat=True).first()


def was_told_of_since(moment: datetime) -> bool:
    """Return whether somebody told of a scene after the moment."""
    return EnqueuedScene.objects.filter(enqueued_at__gt=moment).exists()


def postpone(scene_id: int) -> None:
    """Have the scene wait for another attempt."""
    later = timezone.now() + RETRY
    EnqueuedScene.objects.filter(stash_id=scene_id).update(due_at=later)


def drop(scene_id: int) -> None:
    """Have the scene wait no more."""
    EnqueuedScene.objects.filter(stash_id=scene_id).delete()


def drop_all() -> None:
    """Have no scene wait any more."""
    EnqueuedScene.objects.all().delete()


def begin_later() -> None:
    """Have the background begin with the next scene that becomes due.

    Once for all that wait: which else are due by then is looked at then.
    """
    if Schedule.objects.filter(func=BEGIN_TASK).exists():
        return
    later = EnqueuedScene.objects.filter(due_at__gt=timezone.now())
    due_at = later.values_list("due_at", flat=True).first()
    if due_at is not None:
        Schedule.objects.create(
            func=BEGIN_TASK,
            name="Identify enqueued scenes",
            schedule_type=Schedule.ONCE,
            next_run=due_at,
        )
