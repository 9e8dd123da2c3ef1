"""A slice of a library run: who works at it now, for how long, and what ends it.

A process that works at a run holds a lease in its row and renews it every second; a
second delivery finds it held. What has to be known to go on is written before it is
done, so that a process can die anywhere.
"""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from recognition import (
    library_evaluation,
    library_identification,
    library_rematching,
    library_runs,
    local_sync,
)
from recognition.exceptions import LibraryRunStuck
from recognition.library_runs import is_held
from recognition.models import LibraryRun
from recognition.slice_at_work import RunEnded, ServiceStopping, SliceAtWork
from stashsense.exceptions import StashSenseError

logger = logging.getLogger(__name__)

State = LibraryRun.State

# Other tasks wait this long for their turn at most.
SLICE_SECONDS = 20.0
LEASE = timedelta(seconds=15)
RENEW_SECONDS = 1.0
# Processes that may die at a run without its getting on.
MAX_DEATHS = 3


def work_at_slice(run_id: int, number: int, *, seconds: float | None = None) -> None:
    """Work at a run for a while and ask for the next slice, or end it.

    Does nothing for a slice that was overtaken or is worked at. Raises only what
    nobody foresaw, after the row was written.
    """
    with _leased(run_id, number) as run:
        if run is None:
            return
        with _renewed(run) as lost:
            at_work = SliceAtWork(run, seconds or SLICE_SECONDS, lost)
            _work(run, at_work)


def _work(run: LibraryRun, at_work: SliceAtWork) -> None:
    try:
        is_done = _go_on(run, at_work)
    except (RunEnded, ServiceStopping) as reason:
        # Of a stopped service the run goes on at the next start.
        logger.info("%s: %s", run, reason)
    except StashSenseError as error:
        library_runs.end_run(run, State.FAILED, error=error)
    except OperationalError:
        # Locked or gone for a moment: `take_up_dead_runs` goes on with it.
        raise
    except BaseException as error:
        logger.exception("%s failed", run)
        library_runs.end_run(
            run, State.FAILED, error=f"{type(error).__name__}; the log says more."
        )
        raise
    else:
        if is_done:
            library_runs.end_run(run, State.COMPLETE)
            # A scene may have been kept while another release was activated.
            library_runs.rematch_if_outdated()
        else:
            library_runs.hand_on(run)


def _go_on(run: LibraryRun, at_work: SliceAtWork) -> bool:
    if run.death_count >= MAX_DEATHS:
        raise LibraryRunStuck(
            f"The process that worked at it died {run.death_count} times. What is done "
            "stays done; a new run goes on from there."
        )
    match run.kind:
        case LibraryRun.Kind.IDENTIFY:
            return library_identification.go_on(at_work)
        case LibraryRun.Kind.EVALUATE:
            return library_evaluation.go_on(at_work)
        case LibraryRun.Kind.LOCAL:
            return local_sync.go_on(at_work)
    return library_rematching.go_on(at_work)


@contextmanager
def _leased(run_id: int, number: int) -> Iterator[LibraryRun | None]:
    """Hold the run while the block lasts; None where that must not be done here."""
    run = _lease(run_id, number)
    try:
        yield run
    finally:
        if run is not None:
            _own_rows(run).update(held_until=None, host="", pid=None)


def _lease(run_id: int, number: int) -> LibraryRun | None:
    now = timezone.now()
    with transaction.atomic():
        run = (
            LibraryRun.objects.select_for_update()
            .in_progress()
            .filter(pk=run_id, slice_number=number)
            .first()
        )
        if run is None or is_held(run):
            logger.info("Slice %d of library run %d is not to be done", number, run_id)
            return None
        LibraryRun.objects.filter(pk=run.pk).update(
            state=State.RUNNING,
            started_at=run.started_at or now,
            host=socket.gethostname(),
            pid=os.getpid(),
            held_until=now + LEASE,
            heartbeat_at=now,
        )
    run.refresh_from_db()
    return run


@contextmanager
def _renewed(run: LibraryRun) -> Iterator[threading.Event]:
    """Renew the lease while the block lasts; the event is set once it is lost."""
    ended, lost = threading.Event(), threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(RENEW_SECONDS) and not lost.is_set():
                try:
                    now = timezone.now()
                    renewed = _own_rows(run).update(
                        held_until=now + LEASE, heartbeat_at=now
                    )
                    if not renewed:
                        lost.set()
                except DatabaseError as error:
                    logger.warning("%s: %s", run, error)
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="library-lease", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        ended.set()
        thread.join()


def _own_rows(run: LibraryRun) -> Any:
    return LibraryRun.objects.in_progress().filter(
        host=socket.gethostname(),
        pid=os.getpid(),
        pk=run.pk,
        slice_number=run.slice_number,
    )
