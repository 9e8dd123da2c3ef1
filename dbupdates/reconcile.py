"""Setting right what processes that died have left behind.

`reconcile` runs before the service starts, and before the background takes up work;
`go_on_with_dead_run` when one of the background's processes was replaced.
"""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from dbupdates import adoption, runs, store
from dbupdates.exceptions import UpdateInProgress
from dbupdates.liveness import is_at_work
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import BEFORE_SWAP, CANCELLABLE, IN_PROGRESS, SWAP, Phase
from dbupdates.runs import Asker
from dbupdates.updates import request_import
from stashsense import hosts

logger = logging.getLogger(__name__)

Status = DatabaseRelease.Status

Tell = Callable[[str], None]


def reconcile(tell: Tell) -> None:
    """Bring rows and folders into agreement; `tell` gets a sentence for each change.

    Nothing that was asked for earlier goes on by itself, but a swap that had begun:
    its release is active, and somebody has to see that it can be served. What the disk
    does not allow, such as deleting what is another user's, is told of and left: the
    service can start without it.
    """
    for step in (
        _remove_orphans,
        _end_dead_runs,
        _remove_litter,
        _agree_on_releases,
        _adopt,
    ):
        with _told_of(tell, "Something was not set right"):
            step(tell)


def go_on_with_dead_run() -> None:
    """Hand the run whose process died to the background again, within limits.

    Also one that nobody has begun: the process may have died with it in its hands, and
    a second delivery does no harm. One that died after it had ended has left a folder.
    """
    _requeue_dead_runs(IN_PROGRESS)
    try:
        _remove_litter(logger.info)
    except (DatabaseError, OSError):
        logger.exception("What dead runs left could not be looked for")


def look_for_dead_run() -> None:
    """Go on with a run whose process died outside of the background."""
    _requeue_dead_runs((*BEFORE_SWAP, *SWAP))


def _requeue_dead_runs(phases: Collection[Phase]) -> None:
    try:
        for run in UpdateRun.objects.filter(phase__in=phases):
            if not is_at_work(run):
                runs.requeue_run(
                    run, f"The process that ran it died while {run.phase}."
                )
    except (DatabaseError, OSError):
        # Whoever starts next looks again; this process has other work to do.
        logger.exception("Dead runs could not be looked for")


@contextmanager
def _told_of(tell: Tell, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        logger.warning("%s", what, exc_info=True)
        tell(f"{what}: {error}")


def _end_dead_runs(tell: Tell) -> None:
    for run in UpdateRun.objects.in_progress():
        if is_at_work(run):
            continue
        if run.phase == Phase.QUEUED:
            # Its task may be in the queue or lost; a second one does no harm.
            runs.requeue_run(run, "The service has started; it is still to be done.")
        elif run.phase in CANCELLABLE:
            runs.end_dead_run(run)
            tell(f"The update to {run.version or run.source_path} was interrupted.")
        else:
            runs.requeue_run(run, "The service has started; the swap is finished.")
            tell(f"The change to release {run.version} goes on.")
    resumable = UpdateRun.objects.filter(is_resumable=True).first()
    if resumable is not None:
        tell(
            f"What was downloaded of release {resumable.version} is kept: update again "
            "to go on from there."
        )


def _remove_litter(tell: Tell) -> None:
    kept = UpdateRun.objects.filter(is_resumable=True).values_list("job_id", flat=True)
    alive = UpdateRun.objects.in_progress().values_list("job_id", flat=True)
    # The living first: one that ends meanwhile is among the resumable.
    for job_id in set(store.runs_with_folders()) - {*alive, *kept[:1]}:
        if not store.is_run_held(job_id):
            is_gone = store.remove_run_folder(job_id)
            outcome = "was removed" if is_gone else "cannot be removed"
            tell(f"What run {job_id} had left {outcome}.")


def _remove_orphans(tell: Tell) -> None:
    try:
        with store.exclusive():
            for name, error in store.remove_orphans():
                if error is None:
                    tell(f"Removed staging/{name}, left by a process that died.")
                else:
                    tell(f"staging/{name} cannot be removed: {error}")
    except UpdateInProgress:
        logger.info("Staging is in use and is left alone")
    active = store.active_release()
    store.remove_fetches(except_of=active.version if active else None)


def _agree_on_releases(tell: Tell) -> None:
    """Remove folders that were to be removed, forget files that are gone."""
    rows = {release.version: release for release in DatabaseRelease.objects.all()}
    for name in store.folders_on_disk():
        release = rows.get(name)
        # One that is available may lie there with its row lost: it is to be adopted.
        if release is not None and release.status in (Status.PURGED, Status.REJECTED):
            what = f"The files of release {name}, which is {release.status},"
            with _told_of(tell, f"{what} cannot be removed"):
                store.remove(name)
                tell(f"{what} were removed.")
    for release in rows.values():
        if release.is_installed and not store.has_release(release.version):
            if release.is_active:
                tell(f"The files of release {release}, which is active, are gone.")
                continue
            if hosts.are_many():
                # Another host has them, or each gets them when it is to serve them.
                continue
            DatabaseRelease.objects.filter(pk=release.pk, status=release.status).update(
                status=Status.PURGED, size_bytes=0
            )
            tell(f"The files of release {release} are gone.")


def _adopt(tell: Tell) -> None:
    """Have releases that lie in the data folder without a row installed, once."""
    for path in adoption.find_candidates():
        try:
            run = request_import(
                path,
                asker=Asker(UpdateRun.Asker.START),
                is_activating=DatabaseRelease.objects.active() is None,
            )
        except UpdateInProgress:
            return
        tell(f"Adopting the release in {path} (run {run.job_id}); nothing is copied.")
        return
