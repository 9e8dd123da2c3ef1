"""The life of a library run's row: asked for, handed to the background, ended.

A run is worked at in slices: tasks of some seconds, each of which asks for the next, so
that updates and other tasks get their turn. The row says which slice is awaited; a
task of another one was overtaken and does nothing.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError
from django.utils import timezone

from dbupdates.store import active_release
from recognition import attempts, enqueued_scenes, preferences
from recognition.exceptions import (
    LibraryRunInProgress,
    LibraryRunNotFound,
    LocalPerformersDisabled,
)
from recognition.local_faces import current_revision
from recognition.models import Fingerprint, IdentificationJob, LibraryRun
from stashsense.integrations.stash import configured_client
from stashsense.slices.leases import count_death, hand_on, is_held
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

Kind = LibraryRun.Kind
State = LibraryRun.State

TASK = "recognition.tasks.work_at_library_run"
RETRY_INTERVAL = timedelta(hours=1)
SYNC_INTERVAL = timedelta(days=1)


@dataclass(frozen=True)
class LibraryAsker:
    """Who wants a run: by which way, and the person where one is known."""

    way: LibraryRun.Asker
    user: User | None = None


@dataclass(frozen=True, kw_only=True)
class LibraryOptions:
    """How the library is looked at; None as the settings and defaults say.

    `refresh_outdated`: scenes that were seen by other networks are looked at again.
    """

    refresh_outdated: bool = True
    num_frames: int | None = None
    min_face_size: int | None = None
    max_distance: float | None = None


def identify_library(options: LibraryOptions, *, asker: LibraryAsker) -> LibraryRun:
    """Have every scene identified that is not yet; returns the queued run at once.

    Raises StashNotConfigured, or LibraryRunInProgress.
    """
    configured_client()
    return queue_run(Kind.IDENTIFY, asker=asker, options=vars(options))


def identify_enqueued_if_due() -> LibraryRun | None:
    """Begin to identify the enqueued scenes that are due, and see to the others later.

    None where none is due, or a run is at them: that takes up what is due meanwhile.
    What failed a moment ago is not begun again by itself until somebody tells of more.
    """
    enqueued_scenes.begin_later()
    if not enqueued_scenes.due_count():
        return None
    failed = (
        LibraryRun.objects.filter(kind=Kind.ENQUEUED, state=State.FAILED)
        .filter(ended_at__gte=timezone.now() - RETRY_INTERVAL)
        .first()
    )
    if failed and not enqueued_scenes.was_told_of_since(
        failed.ended_at or failed.created_at
    ):
        return None
    try:
        return queue_run(Kind.ENQUEUED, asker=LibraryAsker(LibraryRun.Asker.HOOK))
    except LibraryRunInProgress:
        return None


def rematch_library(*, asker: LibraryAsker) -> LibraryRun:
    """Have all that is kept matched with the active release; or LibraryRunInProgress.

    Nothing is decoded for it.
    """
    active = active_release()
    return queue_run(
        Kind.REMATCH, asker=asker, release_version=active.version if active else ""
    )


def sync_local_performers(*, asker: LibraryAsker) -> LibraryRun:
    """Have the library's own performers learnt anew where they changed.

    Returns the queued run at once. Raises LocalPerformersDisabled, StashNotConfigured
    or LibraryRunInProgress.
    """
    if not preferences.is_local_performers_enabled():
        raise LocalPerformersDisabled(
            "Local performers are switched off: see local_performers_enabled."
        )
    configured_client()
    active = active_release()
    return queue_run(
        Kind.LOCAL, asker=asker, release_version=active.version if active else ""
    )


def sync_local_if_due() -> LibraryRun | None:
    """Begin to learn local performers if that was last done a day ago, or with another
    release than the active one; None where it is off, or nothing is to be done."""
    active = active_release()
    if active is None or not settings.STASH_URL:
        return None
    if not preferences.is_local_performers_enabled():
        return None
    lately = LibraryRun.objects.filter(
        kind=Kind.LOCAL,
        release_version=active.version,
        created_at__gte=timezone.now() - SYNC_INTERVAL,
    )
    if lately.exists():
        return None
    try:
        return sync_local_performers(asker=LibraryAsker(LibraryRun.Asker.SCHEDULE))
    except LibraryRunInProgress:
        return None


def rematch_if_outdated() -> LibraryRun | None:
    """Begin to match again if what is kept is of another release than the active one.

    None where nothing is to be done, or a run does it already: it looks for itself.
    What failed a moment ago is not begun again by itself, and a run that learns local
    performers is waited for.
    """
    just_now = timezone.now() - RETRY_INTERVAL
    failed = LibraryRun.objects.filter(
        kind=Kind.REMATCH, state=State.FAILED, ended_at__gte=just_now
    )
    active = active_release()
    if active is None or failed.filter(release_version=active.version).exists():
        return None
    if find_run_in_progress(Kind.LOCAL):
        return None
    if not outdated_count():
        return None
    try:
        return rematch_library(asker=LibraryAsker(LibraryRun.Asker.RELEASE))
    except LibraryRunInProgress:
        return None


def outdated_count() -> int:
    """Return how many fingerprints the active release is still to be matched with."""
    active = active_release()
    if active is None:
        return 0
    revision = current_revision(active.network_set)
    rows = Fingerprint.objects.matched_before(active.version, revision)
    return rows.filter(network_set=active.network_set).count()


def find_run_in_progress(kind: LibraryRun.Kind) -> LibraryRun | None:
    """Return the run of this kind that has not ended."""
    return LibraryRun.objects.in_progress().filter(kind=kind).first()


def get_run_in_progress(kind: LibraryRun.Kind) -> LibraryRun:
    """Return the run of this kind that has not ended; or raise LibraryRunNotFound."""
    run = find_run_in_progress(kind)
    if run is None:
        raise LibraryRunNotFound("The library is not being gone through.")
    return run


def stop_run(run: LibraryRun) -> None:
    """End a run now; the scene in work is given up within about a second.

    What is done stays done. A run that has ended stays as it is. Scenes that were
    enqueued wait no more, or they would be begun with again.
    """
    with in_turn():
        if run.kind == Kind.ENQUEUED:
            enqueued_scenes.drop_all()
        if end_run(run, State.CANCELLED, is_stop_asked=True) and run.current_job_id:
            # Seen by the process that works at it, whichever that is.
            IdentificationJob.objects.in_progress().filter(
                job_id=run.current_job_id
            ).update(is_cancel_asked=True)


def end_run(
    run: LibraryRun,
    state: LibraryRun.State,
    *,
    error: BaseException | str = "",
    **facts: Any,
) -> bool:
    """Write how a run ended; return whether this did, for it may have ended before.

    The scene it was at was not decided: that counts as no attempt.
    """
    now = timezone.now()
    with in_turn():
        ended = run.rows_in_progress.update(
            state=state,
            error=str(error),
            error_code=getattr(error, "code", "error" if error else ""),
            waiting_for="",
            held_until=None,
            heartbeat_at=now,
            ended_at=now,
            **facts,
        )
        run.refresh_from_db()
        if ended and run.current_scene_id is not None:
            attempts.forgive_attempt(Fingerprint.Kind.SCENE, run.current_scene_id)
    if ended:
        logger.info("%s is %s %s", run, state, error)
    return bool(ended)


def take_up_dead_runs() -> None:
    """Go on with runs nobody works at; for processes of the background that start.

    A task may have been lost with its process; a second one does no harm.
    """
    try:
        for run in LibraryRun.objects.in_progress():
            if not is_held(run):
                count_death(run)
                hand_on(run, TASK)
    except DatabaseError:
        # Whoever starts next looks again; this process has other work to do.
        logger.exception("Dead library runs could not be looked for")


def queue_run(
    kind: LibraryRun.Kind,
    *,
    asker: LibraryAsker,
    **facts: Any,
) -> LibraryRun:
    """Create a run and hand it to the background; nothing if either fails.

    Raises LibraryRunInProgress where one of the kind has not ended.
    """
    try:
        with in_turn():
            run = LibraryRun.objects.create(
                kind=kind, asked_by=asker.way, user=asker.user, **facts
            )
            hand_on(run, TASK)
    except IntegrityError as exc:
        raise LibraryRunInProgress(
            f"The library is being gone through already: "
            f"{find_run_in_progress(kind) or 'that has just ended'}."
        ) from exc
    logger.info("%s asked for by %s", run, asker.way)
    return run
