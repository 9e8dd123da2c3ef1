"""Identifying in the background, with progress that every process can read.

A job is a row and a thread of the process that took it. Nothing of it outlives that
process: a job whose process has ended says so, and can be asked for again.
"""

import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psutil
from django.conf import settings
from django.db import connection
from django.utils import timezone

from recognition import registry
from recognition.exceptions import Busy, IdentificationStopped, JobNotFound
from recognition.models import Fingerprint, IdentificationJob, ServingProcess
from recognition.scenes import scene_gate
from recognition.watching import Progress, Watcher
from stashsense.exceptions import StashSenseError
from stashsense.heartbeats import beating
from stashsense.integrations.stash import configured_client
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

Kind = Fingerprint.Kind
State = IdentificationJob.State

# Jobs of a lane that may wait in this process; each is a row and a place in a list.
MAX_WAITING = 200
# How often a row is written, and how soon a cancel in another process is seen.
REPORT_SECONDS = 0.5
HEARTBEAT_SECONDS = 2.0
# A process that has not written for so long is gone, or its machine is.
SILENT_AFTER = timedelta(seconds=60)
STOP_SECONDS = 2.0
# Ended jobs are looked at soon or never; their results are kept elsewhere.
KEPT_JOBS = 200


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a job identifies, and what it keeps of that for those who ask.

    `identify` returns the answer. `people_so_far` is None where the progress tells of
    none.
    """

    kind: Fingerprint.Kind
    stash_id: str
    identify: Callable[[Watcher], dict[str, Any]]
    people_so_far: Callable[[Progress], list[dict[str, Any]] | None]

    @property
    def lane(self) -> str:
        """In which queue it waits: an image not behind scenes, which take minutes."""
        return "images" if self.kind is Kind.IMAGE else "scenes"

    def turn(self, give_up: Callable[[], bool]) -> AbstractContextManager[None]:
        """Hold one of the slots of scenes and galleries; an image takes its own."""
        if self.kind is Kind.IMAGE:
            return nullcontext()
        return scene_gate().turn(give_up=give_up)


class _Lane:
    """Jobs that wait in a row, and the threads that work at them."""

    def __init__(self, max_waiting: int) -> None:
        self.waiting: queue.Queue[_Job] = queue.Queue(max_waiting)
        self.threads: list[threading.Thread] = []


class JobRunner:
    """The threads of this process that work at jobs, started with the first one."""

    def __init__(self, *, max_waiting: int = MAX_WAITING) -> None:
        self._lanes = {name: _Lane(max_waiting) for name in ("scenes", "images")}
        self._running: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def submit(self, job: "_Job") -> None:
        """Take a job; raises Busy when too many wait."""
        name = job.work.lane
        lane = self._lanes[name]
        try:
            lane.waiting.put_nowait(job)
        except queue.Full:
            raise Busy(
                f"{lane.waiting.maxsize} {name} wait to be identified already."
            ) from None
        with self._lock:
            while len(lane.threads) < settings.SCENE_SLOTS:
                thread = threading.Thread(
                    target=self._work_at,
                    args=(lane,),
                    name=f"job-{name}-{len(lane.threads)}",
                    daemon=True,
                )
                lane.threads.append(thread)
                thread.start()

    def cancel(self, job_id: str) -> None:
        """End a job of this process at once, rather than when it looks at its row."""
        if (job := self._running.get(job_id)) is not None:
            job.stop()

    def stop(self) -> None:
        """End every job as interrupted; waits for them, but not for long."""
        self._stopping.set()
        for job in [*self._running.values()]:
            job.stop()
        until = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < until:
            time.sleep(0.02)
        with in_turn():
            for row in IdentificationJob.objects.in_progress().of_this_process():
                end_job(
                    row,
                    State.INTERRUPTED,
                    error=INTERRUPTED_BY_STOP,
                    code=STOPPED_CODE,
                )

    def _work_at(self, lane: _Lane) -> None:
        while not self._stopping.is_set():
            job = lane.waiting.get()
            self._running[job.row.job_id] = job
            try:
                if not self._stopping.is_set():
                    job.run()
            except Exception:
                # The edge of a thread that others wait for: a database that is locked
                # for a moment must not end all jobs to come.
                logger.exception("Job %s was given up", job.row.job_id)
            finally:
                del self._running[job.row.job_id]
                connection.close()


# What tells what its process died of from what had bad luck.
STOPPED_CODE = "service_stopped"
DEATH_CODE = "process_ended"
INTERRUPTED_BY_STOP = "The service was stopped before it was done. Ask again."
INTERRUPTED_BY_DEATH = "The process that worked at it has ended. Ask again."


class _Job:
    """One job on its way; the Watcher of what it identifies."""

    def __init__(self, row: IdentificationJob, work: Work) -> None:
        self.row = row
        self.work = work
        self._stop_asked = threading.Event()
        self._told_at = 0.0
        self._done: dict[str, Any] = {}

    def stop(self) -> None:
        """Have it leave at the next good moment."""
        self._stop_asked.set()

    def run(self) -> None:
        """Identify and write how it went, once it is this one's turn."""
        try:
            with self.work.turn(self.is_stop_asked):
                if _begin(self.row):
                    self._identify()
        except IdentificationStopped:
            # While it waited.
            self._end_stopped()

    def _identify(self) -> None:
        often, what = HEARTBEAT_SECONDS / 4, f"Job {self.row.job_id}"
        with beating(self._beat, every_seconds=often, what=what):
            self._identify_to_an_end()

    def _identify_to_an_end(self) -> None:
        try:
            result = self.work.identify(self)
            end_job(self.row, State.COMPLETE, result=result, **self._done)
        except IdentificationStopped:
            self._end_stopped()
        except StashSenseError as error:
            logger.info("Job %s failed: %s", self.row.job_id, error)
            end_job(self.row, State.FAILED, error=str(error), code=error.code)
        except Exception:
            logger.exception("Job %s failed", self.row.job_id)
            end_job(self.row, State.FAILED, error="The log says why.", code="error")

    def report(self, progress: Progress) -> None:
        """Write how far it is, twice a second at most."""
        self._done = {
            "frames_done": progress.frames_done,
            "frames_asked": progress.frames_asked,
        }
        people = self.work.people_so_far(progress)
        now = time.monotonic()
        if people is None and now - self._told_at < REPORT_SECONDS:
            return
        self._told_at = now
        facts = {**self._done} if people is None else {**self._done, "people": people}
        _rows(self.row).update(**facts, heartbeat_at=timezone.now())

    def is_stop_asked(self) -> bool:
        return self._stop_asked.is_set()

    def wants_people(self) -> bool:
        return True

    def _end_stopped(self) -> None:
        self.row.refresh_from_db()
        if self.row.is_cancel_asked:
            end_job(self.row, State.CANCELLED)
        else:
            end_job(
                self.row,
                State.INTERRUPTED,
                error=INTERRUPTED_BY_STOP,
                code=STOPPED_CODE,
            )

    def _beat(self) -> None:
        """Write that it lives, and look whether another process wants it to end."""
        rows = _rows(self.row)
        rows.update(heartbeat_at=timezone.now())
        if rows.filter(is_cancel_asked=True).exists():
            self._stop_asked.set()


_runner = JobRunner()


def start_job(work: Work) -> IdentificationJob:
    """Begin to identify; returns the job's row at once.

    Raises StashNotFound and other errors of Stash's, DatabaseNotLoaded, or Busy.
    """
    registry.require_served()
    _require_known(work)
    row = IdentificationJob.objects.create(
        kind=work.kind,
        stash_id=work.stash_id,
        host=socket.gethostname(),
        pid=os.getpid(),
    )
    try:
        _runner.submit(_Job(row, work))
    except Busy:
        row.delete()
        raise
    _forget_old_jobs()
    return row


def get_job(job_id: str) -> IdentificationJob:
    """Return the job; raises JobNotFound. One whose process has ended is ended, too."""
    row = IdentificationJob.objects.filter(job_id=job_id).first()
    if row is None:
        raise JobNotFound(f"There is no job {job_id[:40]}.")
    if row.is_in_progress and _is_dead(row):
        end_job(row, State.INTERRUPTED, error=INTERRUPTED_BY_DEATH, code=DEATH_CODE)
    return row


def cancel_job(job_id: str) -> IdentificationJob:
    """Have a job end within about a second; one that has ended stays as it is."""
    row = get_job(job_id)
    _rows(row).update(is_cancel_asked=True)
    if IdentificationJob.objects.filter(pk=row.pk, state=State.QUEUED).exists():
        end_job(row, State.CANCELLED, only_from=State.QUEUED)
    _runner.cancel(job_id)
    row.refresh_from_db()
    return row


def stop() -> None:
    """End the jobs of this process: gunicorn calls it in each worker."""
    _runner.stop()


def end_job(
    row: IdentificationJob,
    state: IdentificationJob.State,
    *,
    only_from: IdentificationJob.State | None = None,
    error: str = "",
    code: str = "",
    **facts: Any,
) -> None:
    """Write how a job ended, unless it has ended already."""
    rows = _rows(row)
    if only_from is not None:
        rows = rows.filter(state=only_from)
    now = timezone.now()
    rows.update(
        state=state,
        error=error,
        error_code=code,
        heartbeat_at=now,
        ended_at=now,
        **facts,
    )
    row.refresh_from_db()


def _require_known(work: Work) -> None:
    """Raise what Stash answers where it has nothing of this id."""
    client = configured_client()
    match work.kind:
        case Kind.SCENE:
            client.get_scene(work.stash_id)
        case Kind.IMAGE:
            client.get_image(work.stash_id)
        case Kind.GALLERY:
            client.get_gallery(work.stash_id)


def _begin(row: IdentificationJob) -> bool:
    now = timezone.now()
    begun = IdentificationJob.objects.filter(pk=row.pk, state=State.QUEUED).update(
        state=State.RUNNING, started_at=now, heartbeat_at=now
    )
    return bool(begun)


def _rows(row: IdentificationJob) -> Any:
    return IdentificationJob.objects.in_progress().filter(pk=row.pk)


def _is_dead(row: IdentificationJob) -> bool:
    is_silent = row.heartbeat_at < timezone.now() - SILENT_AFTER
    if row.state == State.RUNNING and is_silent:
        # Whoever works at a job writes twice a second, or has given it up.
        return True
    if row.host != socket.gethostname():
        processes = ServingProcess.objects.live()
        return is_silent and not processes.filter(host=row.host, pid=row.pid).exists()
    try:
        began = psutil.Process(row.pid).create_time()
    except psutil.NoSuchProcess:
        return True
    # In a container that was started anew the numbers are the same again.
    return began > row.created_at.timestamp()


def _forget_old_jobs() -> None:
    ended = IdentificationJob.objects.filter(ended_at__isnull=False)
    kept = ended.order_by("-ended_at").values_list("pk", flat=True)[:KEPT_JOBS]
    ended.exclude(pk__in=[*kept]).delete()
