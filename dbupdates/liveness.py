"""Whether somebody works at an update run.

On the host that runs it, a living run is told from a dead one by the operating system's
lock on its folder in staging: no process id that may be another's by now, no clock that
may be wrong. Other hosts see no lock; for them the row is written again and again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from dbupdates import store
from dbupdates.models import UpdateRun
from stashsense import heartbeats, hosts

# Of another host only the row tells; it is written far more often.
SILENT_AFTER = timedelta(seconds=60)
BEAT_SECONDS = 5.0


def is_at_work(run: UpdateRun) -> bool:
    """Return whether a living process works at the run, on this host or another."""
    return store.is_run_held(run.job_id) or is_at_work_elsewhere(run)


def is_at_work_elsewhere(run: UpdateRun) -> bool:
    """Return whether a living process of another host works at the run."""
    if run.host_id in ("", hosts.own_id()) or run.heartbeat_at is None:
        return False
    return timezone.now() - run.heartbeat_at < SILENT_AFTER


@contextmanager
def beating(run: UpdateRun) -> Iterator[None]:
    """Write that the run lives while the block lasts, for hosts that see no lock."""
    if not hosts.are_many():
        yield
        return

    def beat() -> None:
        rows = UpdateRun.objects.in_progress().filter(pk=run.pk)
        rows.update(heartbeat_at=timezone.now())

    with heartbeats.beating(beat, every_seconds=BEAT_SECONDS, what=f"Run {run.job_id}"):
        yield
