"""Identifying scenes of the library, every one or those enqueued, slice by slice.

A scene is decided once: seen, failed, or passed over. Its attempt is counted before it
is begun and its row names it meanwhile, so a process that dies goes on with the very
scene, and a scene that processes die of is parked like any other that fails twice.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from dbupdates.store import active_release
from recognition import attempts, enqueued_scenes
from recognition.exceptions import (
    RecognitionServiceAway,
    RecognitionServiceRefused,
)
from recognition.models import Fingerprint, IdentificationJob, LibraryRun
from recognition.recognition_service import RecognitionService
from recognition.slice_at_work import LibrarySlice
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import (
    StashError,
    StashNotConfigured,
    StashNotFound,
    StashTooOld,
    StashUnauthorized,
)
from stashsense.integrations.stash_types import StashScene
from stashsense.slices.work import RunEnded
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

SCENE = Fingerprint.Kind.SCENE

# How often a job is asked after, from the first time on.
POLL_SECONDS = (0.1, 0.2, 0.5, 1.0)
# Rows are written for so many scenes at a time that are passed over.
SKIPPED_AT_A_TIME = 100
# A job takes SCENE_SECONDS at most for frames; one that takes this much more hangs.
JOB_SPARE_SECONDS = 900.0

# No repeating helps, whatever the scene.
HOPELESS = (StashNotConfigured, StashUnauthorized, StashTooOld)
HOPELESS_CODES = {error.code for error in HOPELESS}
# What a job may end with that is no fault of its scene's.
PASSING_CODES = {
    "busy",
    "database_not_loaded",
    "database_updating",
    "media_unreachable",
    "models_not_installed",
    "service_stopped",
    "stash_unreachable",
}
_GONE_CODES = {"stash_not_found"}


class _NotNow(Exception):
    """The scene cannot be decided now, for no fault of its own."""


def go_on(at_work: LibrarySlice) -> bool:
    """Identify scenes for a slice; return whether every scene is decided.

    Raises LibraryRunStuck; StashError or RecognitionServiceRefused where no waiting
    helps.
    """
    service = RecognitionService()
    kind = at_work.run.kind
    work = _EnqueuedPass if kind == LibraryRun.Kind.ENQUEUED else _Pass
    try:
        return work(at_work, configured_client(), service).go_on()
    finally:
        service.close()


class _Pass:
    """One slice of going through the scenes."""

    def __init__(
        self, at_work: LibrarySlice, client: StashClient, service: RecognitionService
    ) -> None:
        self._at_work = at_work
        self._run = at_work.run
        self._client = client
        self._service = service
        self._scenes: Iterator[StashScene] | None = None
        # Only of the slice before: what this one begins, it knows.
        self._may_adopt_job = True

    def go_on(self) -> bool:
        """Decide scenes until the slice is over; return whether none is left."""
        while not self._at_work.is_over():
            try:
                if self._run.current_scene_id is None and not self._begin_next():
                    return True
                if self._run.current_scene_id is not None:
                    self._decide_current()
            except HOPELESS:
                raise
            except RecognitionServiceAway as away:
                self._wait_out(away, away.asked_to_wait_seconds)
            except (StashError, _NotNow) as reason:
                self._wait_out(reason)
            except RunEnded:
                self._give_up_job()
                raise
        return False

    def _wait_out(self, reason: Exception, at_least_seconds: float = 0) -> None:
        self._scenes = None
        self._at_work.wait_out(reason, at_least_seconds=at_least_seconds)

    # Which scene

    def _begin_next(self) -> bool:
        """Begin the next scene that is to be looked at; False when there is none.

        Returns early, without a scene, where the slice is over.
        """
        run = self._run
        if not run.total_count:
            self._at_work.get_on(total_count=self._client.count_scenes())
        if self._scenes is None:
            self._scenes = self._iter_scenes()
        skipped_count, cursor = 0, run.cursor
        for scene in self._scenes:
            is_wanted = self._is_wanted(scene.id)
            if is_wanted or skipped_count >= SKIPPED_AT_A_TIME:
                self._pass_over(skipped_count, cursor)
                skipped_count = 0
            if is_wanted:
                self._begin(scene)
                return True
            skipped_count, cursor = skipped_count + 1, scene.id
            if self._at_work.is_over():
                self._pass_over(skipped_count, cursor)
                return True
        self._pass_over(skipped_count, cursor)
        if run.is_second_pass:
            return False
        self._scenes = None
        self._at_work.get_on(is_second_pass=True, cursor=0)
        return True

    def _iter_scenes(self) -> Iterator[StashScene]:
        if not self._run.is_second_pass:
            return self._client.iter_scenes(after_id=self._run.cursor)
        return self._iter_failed_scenes()

    def _iter_failed_scenes(self) -> Iterator[StashScene]:
        """Yield the scenes that failed once and that Stash still has."""
        failed = Fingerprint.objects.scenes().failed_once()
        ids = failed.filter(stash_id__gt=self._run.cursor).order_by("stash_id")
        for scene_id in [*ids.values_list("stash_id", flat=True)]:
            try:
                yield self._client.get_scene(scene_id)
            except StashNotFound:
                attempts.forget(SCENE, scene_id)

    def _is_wanted(self, scene_id: int) -> bool:
        fingerprint = Fingerprint.objects.scenes().filter(stash_id=scene_id).first()
        if fingerprint is None:
            return True
        if fingerprint.is_parked:
            return False
        if fingerprint.state != Fingerprint.State.COMPLETE:
            return True
        if not self._run.options.get("refresh_outdated", True):
            return False
        active = active_release()
        return active is not None and fingerprint.network_set != active.network_set

    def _pass_over(self, count: int, cursor: int) -> None:
        if not count:
            return
        if self._run.is_second_pass:
            # They were counted in the first.
            self._at_work.get_on(cursor=cursor)
            return
        self._at_work.get_on(
            cursor=cursor,
            skipped_count=self._run.skipped_count + count,
            done_count=self._run.done_count + count,
        )

    def _begin(self, scene: StashScene) -> None:
        with in_turn():
            attempts.begin_attempt(SCENE, scene.id)
            self._at_work.write(
                current_scene_id=scene.id,
                current_scene_title=scene.title,
                current_job_id="",
                scene_started_at=timezone.now(),
            )
        self._may_adopt_job = False

    # What comes of it

    def _decide_current(self) -> None:
        """Follow the current scene's job, begun here if there is none, to its end."""
        run = self._run
        assert run.current_scene_id is not None
        if not run.current_job_id:
            self._begin_job(run.current_scene_id)
        if not run.current_job_id:
            return
        answer = self._ended_job(run.current_job_id)
        if answer is not None:
            self._decide(run.current_scene_id, answer)

    def _begin_job(self, scene_id: int) -> None:
        job_id = self._adopted_job(scene_id)
        if job_id is None:
            try:
                job_id = self._service.start_job(scene_id, self._job_options())
            except RecognitionServiceRefused as refused:
                self._decide_refused(scene_id, refused)
                return
        try:
            self._at_work.write(current_job_id=job_id)
        except RunEnded:
            # Whoever stopped the run did not know of it.
            self._run.current_job_id = job_id
            raise

    def _adopted_job(self, scene_id: int) -> str | None:
        """Return the job that a process began and died before it could write so."""
        if not self._may_adopt_job:
            return None
        self._may_adopt_job = False
        job = IdentificationJob.objects.filter(
            kind=SCENE,
            stash_id=str(scene_id),
            created_at__gte=self._run.scene_started_at,
        ).first()
        return job.job_id if job else None

    def _job_options(self) -> dict[str, Any]:
        wanted = ("num_frames", "min_face_size", "max_distance")
        options = {name: self._run.options.get(name) for name in wanted}
        return {name: value for name, value in options.items() if value is not None}

    def _ended_job(self, job_id: str) -> dict[str, Any] | None:
        """Return the answer about a job that has ended; None if the slice has first."""
        waits = iter(POLL_SECONDS)
        wait_seconds = 0.0
        while True:
            try:
                answer = self._service.job(job_id)
            except RecognitionServiceRefused as refused:
                if refused.http_status >= 500:
                    raise _NotNow(str(refused)) from refused
                if refused.http_status != 404:
                    raise
                # Whatever became of it, it began.
                return {"state": "failed", "code": "", "error": str(refused)}
            if answer["ended_at"]:
                return answer
            if _is_hanging(answer):
                self._service.cancel_job(job_id)
                return {"state": "failed", "error": "It took far too long.", "code": ""}
            if self._run.waiting_for:
                self._at_work.get_on()
            if self._at_work.is_over():
                return None
            wait_seconds = next(waits, wait_seconds)
            self._at_work.pause(wait_seconds)

    def _decide(self, scene_id: int, answer: dict[str, Any]) -> None:
        """Write what came of the scene; _NotNow if that was no fault of its own."""
        state, code = answer["state"], answer.get("code") or ""
        reason = answer.get("error") or f"Its job was {state}."
        if state == "complete":
            self._require_kept(scene_id, answer["result"])
            self._settle(scene_id, succeeded=True)
        elif state == "cancelled":
            attempts.forgive_attempt(SCENE, scene_id)
            self._settle(scene_id, succeeded=None)
        elif code in PASSING_CODES:
            self._try_again(reason)
        else:
            self._fail(scene_id, code, reason)

    def _decide_refused(
        self, scene_id: int, refused: RecognitionServiceRefused
    ) -> None:
        if refused.http_status in (401, 403) or refused.refusal in HOPELESS_CODES:
            raise refused
        self._fail(scene_id, refused.refusal, str(refused))

    def _fail(self, scene_id: int, code: str, reason: str) -> None:
        """Count the attempt as failed, unless Stash is away or the scene gone."""
        if code in HOPELESS_CODES:
            raise RecognitionServiceRefused(reason, refusal=code)
        if code in _GONE_CODES:
            attempts.forget(SCENE, scene_id)
            self._settle(scene_id, succeeded=None)
            return
        try:
            self._client.get_system_status()
        except HOPELESS:
            raise
        except StashError as error:
            self._try_again(str(error))
        attempts.note_failure(SCENE, scene_id, reason)
        logger.info("Scene %d failed: %s", scene_id, reason)
        self._settle(scene_id, succeeded=False)

    def _require_kept(self, scene_id: int, result: dict[str, Any]) -> None:
        """Return if something is kept of the scene: just now, or of a closer look.

        One that was seen just now may be wanted anew already.
        """
        is_new = Q(seen_at__gte=self._run.scene_started_at or timezone.now())
        kept = Fingerprint.objects.scenes().filter(
            is_new | Q(state=Fingerprint.State.COMPLETE), stash_id=scene_id
        )
        if kept.exists():
            return
        if not result["fingerprint_saved"]:
            self._try_again(str(result["fingerprint_error"]))
        raise RecognitionServiceRefused(
            "The service at RECOGNITION_URL keeps what it sees in another database."
        )

    def _try_again(self, reason: str) -> None:
        """Leave the scene as the current one, to be begun anew; raises _NotNow."""
        self._at_work.write(current_job_id="", scene_started_at=timezone.now())
        raise _NotNow(reason)

    def _settle(self, scene_id: int, *, succeeded: bool | None) -> None:
        """Count the scene as decided; None: it was passed over after all."""
        run = self._run
        facts = {
            "succeeded_count": run.succeeded_count,
            "skipped_count": run.skipped_count,
        }
        if succeeded is None:
            facts["skipped_count"] += 1
        elif succeeded:
            facts["succeeded_count"] += 1
        failed_count = run.failed_count
        if run.is_second_pass:
            # It was counted in the first pass, as one that failed.
            failed_count = max(failed_count - 1, 0)
        else:
            facts["done_count"] = run.done_count + 1
        self._at_work.get_on(
            **facts,
            failed_count=failed_count + (succeeded is False),
            cursor=scene_id,
            current_scene_id=None,
            current_scene_title="",
            current_job_id="",
            scene_started_at=None,
        )

    def _give_up_job(self) -> None:
        """Cancel the job of a run that has ended; another process may go on with it."""
        job_id = self._run.current_job_id
        if job_id and not LibraryRun.objects.in_progress().filter(pk=self._run.pk):
            with suppress(RecognitionServiceAway, RecognitionServiceRefused):
                self._service.cancel_job(job_id)


class _EnqueuedPass(_Pass):
    """One slice of going through the scenes that were enqueued.

    Their rows are the cursor: one goes when its scene is decided. A scene that failed
    is tried once more when it is due again.
    """

    def _begin_next(self) -> bool:
        """Begin the scene that has been due for longest, of those Stash has.

        Returns as the method of every scene does.
        """
        while (scene_id := enqueued_scenes.find_due()) is not None:
            if self._at_work.is_over():
                return True
            scene = self._find_scene(scene_id) if self._is_wanted(scene_id) else None
            if scene is not None:
                run = self._run
                due_count = enqueued_scenes.due_count()
                self._at_work.get_on(total_count=run.done_count + due_count)
                self._begin(scene)
                return True
            enqueued_scenes.drop(scene_id)
        return False

    def _find_scene(self, scene_id: int) -> StashScene | None:
        try:
            return self._client.get_scene(scene_id)
        except StashNotFound:
            attempts.forget(SCENE, scene_id)
            return None

    def _settle(self, scene_id: int, *, succeeded: bool | None) -> None:
        with in_turn():
            super()._settle(scene_id, succeeded=succeeded)
            if succeeded is False:
                enqueued_scenes.postpone(scene_id)
            else:
                enqueued_scenes.drop(scene_id)


def _is_hanging(answer: dict[str, Any]) -> bool:
    if not answer["started_at"]:
        return False
    ran = time.time() - datetime.fromisoformat(answer["started_at"]).timestamp()
    return ran > settings.SCENE_SECONDS + JOB_SPARE_SECONDS
