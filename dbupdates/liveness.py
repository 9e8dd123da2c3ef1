"""Whether somebody works at an update run.

On the host that runs it, a living run is told from a dead one by the operating system's
lock on its folder in staging: no process id that may be another's by now, no clock that
may be wrong. Other hosts see no lock; for them the row is written again and again.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from dbupdates import store
from dbupdates.models import UpdateRun
from stashsense import hosts

logger = logging.getLogger(__name__)

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
    ended = threading.Event()

    def beat() -> None:
        try:
            while not ended.wait(BEAT_SECONDS):
                try:
                    UpdateRun.objects.in_progress().filter(pk=run.pk).update(
                        heartbeat_at=timezone.now()
                    )
                except DatabaseError as error:
                    logger.warning("Run %s: %s", run.job_id, error)
                    # It may be what is broken.
                    connection.close()
        finally:
            connection.close()

    if not hosts.are_many():
        yield
        return
    thread = threading.Thread(target=beat, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
