"""The life of an update run's row: asked for, claimed, told of, ended.

Whether a run lives is told by `dbupdates.liveness`.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from dbupdates import store
from dbupdates.download import DOWNLOAD_NAMES
from dbupdates.exceptions import (
    RunNotFound,
    TooLateToCancel,
    UpdateCancelled,
    UpdateInProgress,
    UpdateInterrupted,
)
from dbupdates.liveness import beating, is_at_work, is_at_work_elsewhere
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import (
    BEFORE_SWAP,
    CANCELLABLE,
    IN_PROGRESS,
    SWAP,
    OnProgress,
    Phase,
    Progress,
)
from stashsense import hosts, stopping
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

TASK = "dbupdates.tasks.run_update"
# A process that dies at a run may have died of it: of memory, or of a bad file.
MAX_ATTEMPTS = 2
# How often a row is written, and how soon a cancel is seen.
REPORT_SECONDS = 0.5
# Of the newest second in the rate that is shown.
RATE_WEIGHT = 0.2

# Which part of the whole each phase is, in per cent, as a published release takes
# them over a line of 100 Mbit/s.
_SHARES = {
    UpdateRun.Kind.DOWNLOAD: {
        Phase.MODELS: (0, 10),
        Phase.DOWNLOADING: (0, 65),
        Phase.EXTRACTING: (65, 75),
        Phase.VERIFYING: (75, 93),
        Phase.SWAPPING: (93, 94),
        Phase.RELOADING: (94, 100),
    },
    UpdateRun.Kind.IMPORT: {
        Phase.EXTRACTING: (0, 40),
        Phase.VERIFYING: (40, 85),
        Phase.MODELS: (85, 85),
        Phase.SWAPPING: (85, 86),
        Phase.RELOADING: (86, 100),
    },
    UpdateRun.Kind.ACTIVATION: {
        Phase.MODELS: (0, 60),
        Phase.SWAPPING: (0, 5),
        Phase.RELOADING: (5, 100),
    },
}


@dataclass(frozen=True)
class Asker:
    """Who wants a run: by which way, and the person where one is known."""

    way: UpdateRun.Asker
    user: User | None = None


def get_run(job_id: str) -> UpdateRun:
    """Return the run; or raise RunNotFound."""
    try:
        return UpdateRun.objects.get(job_id=job_id)
    except UpdateRun.DoesNotExist as exc:
        raise RunNotFound(f"There is no run {job_id[:40]}.") from exc


def get_run_in_progress() -> UpdateRun:
    """Return the run that has not ended; or raise RunNotFound."""
    run = UpdateRun.objects.in_progress().first()
    if run is None:
        raise RunNotFound("No update is in progress.")
    return run


def create_run(kind: UpdateRun.Kind, *, asker: Asker, **facts: Any) -> UpdateRun:
    """Write the row of a run to be executed here; UpdateInProgress if one goes on.

    A run whose process has died does not stand in the way: it is ended first. But one
    that had begun to swap does, and is handed to the background to be finished.
    """
    _make_way()
    return _write_run(kind, asker=asker, **facts)


def queue_run(kind: UpdateRun.Kind, *, asker: Asker, **facts: Any) -> UpdateRun:
    """Create a run and hand it to the background; nothing if either fails."""
    # Not inside the transaction: a download may be deleted, which takes seconds.
    _make_way()
    with in_turn():
        run = _write_run(kind, asker=asker, **facts)
        async_task(TASK, run.pk, task_name=f"update {run.job_id}")
    return run


def _make_way() -> None:
    """End the run in progress if its process has died, or have its swap finished."""
    for other in UpdateRun.objects.in_progress():
        if is_at_work(other):
            continue
        # As it stands without a process: it may have ended since it was listed.
        other.refresh_from_db()
        if other.phase in BEFORE_SWAP:
            end_dead_run(other)
        elif other.phase in SWAP:
            # Its release is active, and nobody has seen yet that it can be served.
            requeue_run(other, f"The process that ran it died while {other.phase}.")


def _write_run(kind: UpdateRun.Kind, *, asker: Asker, **facts: Any) -> UpdateRun:
    try:
        with transaction.atomic():
            run = UpdateRun.objects.create(
                kind=kind, asked_by=asker.way, user=asker.user, **facts
            )
    except IntegrityError as exc:
        other_run = UpdateRun.objects.in_progress().first()
        raise UpdateInProgress(
            f"Another update is in progress: {other_run or 'it has just ended'}."
        ) from exc
    logger.info("Run %s asked for by %s: %s", run.job_id, asker.way, run)
    return run


def requeue_run(run: UpdateRun, reason: str) -> bool:
    """Hand a run whose process died to the background again, as it stands.

    Returns whether this call did: of several, one does.
    """
    with in_turn():
        is_ours = UpdateRun.objects.filter(
            pk=run.pk,
            phase=run.phase,
            attempt_count=run.attempt_count,
            heartbeat_at=run.heartbeat_at,
        ).update(
            heartbeat_at=timezone.now(),
            # Or it would look as if the host that died had just written this.
            host_id="",
        )
        if is_ours:
            async_task(TASK, run.pk, task_name=f"update {run.job_id}")
            run.log_lines.create(text=reason)
    return bool(is_ours)


def leave(run_id: int) -> None:
    """Give up a run that this process was interrupted at and does not hold any more.

    A swap that has begun is finished by the background; anything else is ended.
    """
    run = UpdateRun.objects.in_progress().filter(pk=run_id).first()
    if run is None or is_at_work(run):
        return
    if run.phase in SWAP:
        requeue_run(run, f"Interrupted while {run.phase}: the background goes on.")
    else:
        end_run(run, Phase.FAILED, error=UpdateInterrupted("It was interrupted."))


def cancel_run(run: UpdateRun, *, asker: Asker) -> None:
    """Ask a run to end, or end it where nobody works at it; or TooLateToCancel."""
    rows = UpdateRun.objects.filter(pk=run.pk)
    with in_turn():
        if not rows.filter(phase__in=CANCELLABLE).update(is_cancel_asked=True):
            run.refresh_from_db()
            raise TooLateToCancel(f"The update is {run.phase}, too late to cancel it.")
        who = asker.user or asker.way
        run.log_lines.create(text=f"Cancelled by {who}.")
    if not is_at_work(run):
        end_run(run, Phase.CANCELLED)
        store.remove_run_folder(run.job_id)


def end_run(
    run: UpdateRun,
    phase: Phase,
    *,
    error: BaseException | str = "",
    is_resumable: bool = False,
) -> None:
    """Write how a run ended, unless it has ended already."""
    now = timezone.now()
    run.refresh_from_db()
    ended = UpdateRun.objects.filter(pk=run.pk, phase__in=IN_PROGRESS).update(
        phase=phase,
        percent=100 if phase == Phase.COMPLETE else run.percent,
        phase_seconds=_phase_seconds(run),
        bytes_per_second=0,
        error=str(error),
        error_code=getattr(error, "code", "error" if error else ""),
        is_resumable=is_resumable,
        heartbeat_at=now,
        ended_at=now,
    )
    run.refresh_from_db()
    if ended:
        logger.info("Run %s is %s %s", run.job_id, phase, error)


def end_dead_run(run: UpdateRun) -> None:
    """End a run whose process is gone; what it has downloaded is kept.

    One that was to be cancelled is, and nothing of it is kept.
    """
    if run.is_cancel_asked:
        store.remove_run_folder(run.job_id)
        end_run(run, Phase.CANCELLED)
        return
    error = UpdateInterrupted(
        f"The process that ran it ended while {run.phase}. What was downloaded is "
        "kept: the next update to this release goes on from there."
    )
    is_resumable = has_download(run)
    if not is_resumable:
        store.remove_run_folder(run.job_id)
    end_run(run, Phase.FAILED, error=error, is_resumable=is_resumable)


def has_download(run: UpdateRun) -> bool:
    """Return whether a run left anything in staging that is worth going on from."""
    is_installed = DatabaseRelease.objects.installed().filter(version=run.version)
    return not is_installed.exists() and store.run_has_files(run.job_id, DOWNLOAD_NAMES)


def _phase_seconds(run: UpdateRun) -> dict[str, float]:
    """Return how long each phase took, the present one until now."""
    seconds: dict[str, float] = dict(run.phase_seconds)
    if run.phase_started_at is not None and run.phase in IN_PROGRESS:
        spent = (timezone.now() - run.phase_started_at).total_seconds()
        seconds[run.phase] = round(seconds.get(run.phase, 0) + spent, 2)
    return seconds


@contextmanager
def claimed(run_id: int) -> Iterator["RunningUpdate | None"]:
    """Hold a run for the time it is worked at; None if that must not be done here.

    A second delivery of a run that another process works at, or that has ended, is
    none to work at. One whose process died is, until it has died MAX_ATTEMPTS times;
    in a swap once more, to end that: see `RunningUpdate.is_overdue`.
    """
    run = UpdateRun.objects.filter(pk=run_id).first()
    if run is None or not run.is_in_progress:
        logger.info("Run %s has ended already; nothing is done", run_id)
        yield None
        return
    with ExitStack() as held:
        try:
            folder = held.enter_context(store.run_folder(run.job_id))
        except UpdateInProgress:
            logger.warning("Run %s is delivered a second time; it goes on", run.job_id)
            yield None
            return
        except OSError as error:
            logger.exception("Run %s cannot be worked at", run.job_id)
            if run.phase in CANCELLABLE:
                end_run(run, Phase.FAILED, error=error)
            # A swap stays to be finished, once there is a folder for it.
            yield None
            return
        run.refresh_from_db()
        if _begin_attempt(run):
            with beating(run):
                yield RunningUpdate(run, folder)
            return
        if not run.is_resumable:
            store.remove_run_folder(run.job_id)
        yield None


@in_turn()
def _begin_attempt(run: UpdateRun) -> bool:
    """Count an attempt before anything is done; False if there were enough."""
    if not run.is_in_progress or is_at_work_elsewhere(run):
        return False
    # What a swap has flipped has to be flipped back.
    limit = MAX_ATTEMPTS + 1 if run.phase in SWAP else MAX_ATTEMPTS
    if run.attempt_count >= limit:
        end_run(
            run,
            Phase.FAILED,
            error=f"{told_of_deaths(run, run.attempt_count)} It is not tried again by "
            f"itself. {run.error}".rstrip(),
            is_resumable=has_download(run),
        )
        return False
    now = timezone.now()
    UpdateRun.objects.filter(pk=run.pk).update(
        attempt_count=F("attempt_count") + 1,
        started_at=run.started_at or now,
        heartbeat_at=now,
        host_id=hosts.own_id(),
    )
    run.refresh_from_db()
    if run.attempt_count > MAX_ATTEMPTS:
        told = told_of_deaths(run, MAX_ATTEMPTS)
        run.log_lines.create(text=f"{told} Now the swap is ended, either way.")
    elif run.attempt_count > 1:
        run.log_lines.create(
            text=f"Attempt {run.attempt_count} of {MAX_ATTEMPTS}: goes on from where "
            "the process before it died."
        )
    return True


def told_of_deaths(run: UpdateRun, count: int) -> str:
    """Return a sentence on how often the run's process died, and at what."""
    return (
        f"The process that ran it died {count} times, the last time while {run.phase}."
    )


class RunningUpdate:
    """A run at work, as the one who works at it sees it. An `OnProgress`, too.

    Calling it, `enter` and `pause` raise UpdateCancelled or UpdateInterrupted when
    the work is to end.
    """

    def __init__(self, run: UpdateRun, folder: Path) -> None:
        self.run = run
        self.folder = folder
        self.listener: OnProgress | None = None
        self._told_at = 0.0
        self._rate = _Rate()

    @property
    def is_overdue(self) -> bool:
        """Whether so many processes died at it that its swap is only to be ended."""
        return self.run.attempt_count > MAX_ATTEMPTS

    def __call__(self, progress: Progress) -> None:
        """Tell how far a phase has come; the row is written twice a second."""
        if progress.phase != self.run.phase:
            self.enter(progress.phase)
        if self.listener is not None:
            self.listener(progress)
        self._rate.see(progress.done_bytes)
        if time.monotonic() - self._told_at >= REPORT_SECONDS:
            self._tell(progress)

    def enter(self, phase: Phase) -> None:
        """Begin the next phase. From SWAPPING on, nobody can cancel any more."""
        self.check_stop()
        entered = UpdateRun.objects.filter(
            pk=self.run.pk, phase__in=IN_PROGRESS, is_cancel_asked=False
        ).update(
            phase=phase,
            phase_seconds=_phase_seconds(self.run),
            phase_started_at=timezone.now(),
            heartbeat_at=timezone.now(),
            percent=self._percent(phase, 0.0),
            done_bytes=0,
            total_bytes=0,
            bytes_per_second=0,
        )
        self.run.refresh_from_db()
        if not entered:
            raise UpdateCancelled("The update was cancelled.")
        self._rate = _Rate()
        self._told_at = 0.0

    def pause(self, seconds: float) -> None:
        """Let so much time pass, a short one; write that the run lives."""
        self.check_stop()
        time.sleep(seconds)
        told = UpdateRun.objects.filter(pk=self.run.pk, is_cancel_asked=False).update(
            heartbeat_at=timezone.now()
        )
        if not told:
            raise UpdateCancelled("The update was cancelled.")

    def show_processes(self, ready_count: int, process_count: int) -> None:
        """Write how many of the serving processes have followed."""
        fraction = ready_count / process_count if process_count else 1.0
        UpdateRun.objects.filter(pk=self.run.pk).update(
            ready_count=ready_count,
            process_count=process_count,
            percent=self._percent(Phase.RELOADING, fraction),
        )

    def note(self, text: str) -> None:
        """Add a line to the run's log and to the process's."""
        logger.info("Run %s: %s", self.run.job_id, text)
        self.run.log_lines.create(text=text)

    def update(self, **facts: Any) -> None:
        """Write facts about the run into its row."""
        UpdateRun.objects.filter(pk=self.run.pk).update(**facts)
        self.run.refresh_from_db()

    def check_stop(self) -> None:
        """Raise UpdateInterrupted if this process is to end."""
        if stopping.is_asked():
            raise UpdateInterrupted(
                "The service was stopped. What was downloaded is kept: the next update "
                "to this release goes on from there."
            )

    def _tell(self, progress: Progress) -> None:
        self.check_stop()
        self._told_at = time.monotonic()
        fraction = progress.done_bytes / max(progress.total_bytes, 1)
        told = UpdateRun.objects.filter(pk=self.run.pk, is_cancel_asked=False).update(
            done_bytes=progress.done_bytes,
            total_bytes=progress.total_bytes,
            bytes_per_second=self._rate.bytes_per_second,
            percent=self._percent(progress.phase, fraction),
            heartbeat_at=timezone.now(),
        )
        if not told:
            raise UpdateCancelled("The update was cancelled.")

    def _percent(self, phase: Phase, fraction: float) -> int:
        shares = _SHARES[UpdateRun.Kind(self.run.kind)]
        begin, end = shares.get(phase, (0, 0))
        # Never back: a phase that begins anew, such as a download, is told by bytes.
        return max(self.run.percent, int(begin + (end - begin) * min(fraction, 1.0)))


class _Rate:
    """How fast bytes get done, smoothed over some seconds."""

    def __init__(self) -> None:
        self.bytes_per_second = 0.0
        self._seen: tuple[float, int] | None = None

    def see(self, done_bytes: int) -> None:
        now = time.monotonic()
        if self._seen is None:
            self._seen = (now, done_bytes)
            return
        seconds = now - self._seen[0]
        if seconds < REPORT_SECONDS:
            return
        newest = max(done_bytes - self._seen[1], 0) / seconds
        self._seen = (now, done_bytes)
        if self.bytes_per_second:
            newest = RATE_WEIGHT * newest + (1 - RATE_WEIGHT) * self.bytes_per_second
        self.bytes_per_second = newest
