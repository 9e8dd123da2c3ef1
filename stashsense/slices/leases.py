"""Who works at a run now: leases in rows, renewed while their holder lives."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import psutil
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from stashsense.heartbeats import beating
from stashsense.slices.models import SlicedRun

logger = logging.getLogger(__name__)

Run = TypeVar("Run", bound=SlicedRun)

LEASE = timedelta(seconds=15)
RENEW_SECONDS = 1.0


def hand_on(run: SlicedRun, task: str) -> bool:
    """Have the background call `task` for the next slice; whatever was queued is void.

    It is called with the run's key and the number of the slice.
    """
    with transaction.atomic():
        number = run.slice_number + 1
        is_ours = run.own_rows.update(
            slice_number=number, held_until=None, host="", pid=None
        )
        if is_ours:
            async_task(task, run.pk, number, task_name=f"{run} slice {number}")
    run.refresh_from_db()
    return bool(is_ours)


def is_held(run: SlicedRun) -> bool:
    """Return whether a process that lives works at the run."""
    if run.held_until is None or run.held_until < timezone.now():
        return False
    if run.host != socket.gethostname():
        return True
    try:
        began = psutil.Process(run.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    # In a container that was started anew the numbers are the same again.
    return began <= run.heartbeat_at.timestamp()


def count_death(run: SlicedRun) -> None:
    """Count the process that held the run and gave it up to nobody."""
    if run.pid is not None:
        run.rows_in_progress.update(death_count=run.death_count + 1)
        run.refresh_from_db()


@contextmanager
def leased(kind: type[Run], run_id: int, number: int) -> Iterator[Run | None]:
    """Hold the run while the block lasts; None where that must not be done here."""
    run = _lease(kind, run_id, number)
    try:
        yield run
    finally:
        if run is not None:
            _held_rows(run).update(held_until=None, host="", pid=None)


def _lease(kind: type[Run], run_id: int, number: int) -> Run | None:
    rows: Any = kind._default_manager
    now = timezone.now()
    with transaction.atomic():
        run: Run | None = (
            rows.select_for_update()
            .in_progress()
            .filter(pk=run_id, slice_number=number)
            .first()
        )
        if run is None or is_held(run):
            logger.info(
                "Slice %d of %s %d is not to be done", number, kind.__name__, run_id
            )
            return None
        run.rows_in_progress.update(
            state=kind.RUNNING,
            started_at=run.started_at or now,
            host=socket.gethostname(),
            pid=os.getpid(),
            held_until=now + LEASE,
            heartbeat_at=now,
        )
    run.refresh_from_db()
    return run


@contextmanager
def renewed(run: SlicedRun) -> Iterator[threading.Event]:
    """Renew the lease while the block lasts; the event is set once it is lost."""
    lost = threading.Event()

    def renew() -> None:
        now = timezone.now()
        if not _held_rows(run).update(held_until=now + LEASE, heartbeat_at=now):
            lost.set()

    with beating(renew, every_seconds=RENEW_SECONDS, what=run):
        yield lost


def _held_rows(run: SlicedRun) -> Any:
    return run.own_rows.filter(host=socket.gethostname(), pid=os.getpid())
