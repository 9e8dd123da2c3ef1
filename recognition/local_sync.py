"""Going through the performers of Stash, and having those learnt whom no release knows.

Page by page and in slices, as identification goes through the scenes. Who is as they
were when their pictures were looked at is passed over. The service that identifies
looks at pictures; here nobody opens a network.
"""

import logging
from functools import cached_property
from typing import Any

from dbupdates.prepared import open_prepared
from dbupdates.store import ActiveRelease, active_release
from recognition import correction_identities, local_faces
from recognition.exceptions import (
    DatabaseNotLoaded,
    LocalPerformersDisabled,
    RecognitionServiceAway,
    RecognitionServiceRefused,
)
from recognition.models import LocalPerformer
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
from stashsense.integrations.stash_types import PerformersPage, PicturedPerformer

logger = logging.getLogger(__name__)

# No repeating helps, whoever the performer.
_HOPELESS = (StashNotConfigured, StashUnauthorized, StashTooOld)
_HOPELESS_CODES = {error.code for error in (*_HOPELESS, LocalPerformersDisabled)}


def go_on(at_work: LibrarySlice) -> bool:
    """Decide performers for a slice; return whether every one is decided.

    Raises LibraryRunStuck; DatabaseNotLoaded, StashError or RecognitionServiceRefused
    where no waiting helps.
    """
    active = active_release()
    if active is None:
        raise DatabaseNotLoaded("No release is active, and so no networks are.")
    service = RecognitionService()
    try:
        walk = _Walk(at_work, configured_client(), service, active)
        while not at_work.is_over():
            try:
                if walk.go_on():
                    return True
            except _HOPELESS:
                raise
            except RecognitionServiceAway as away:
                at_work.wait_out(away, at_least_seconds=away.asked_to_wait_seconds)
            except StashError as reason:
                at_work.wait_out(reason)
        return False
    finally:
        service.close()


class _Walk:
    """One slice of going through the performers, by ascending id.

    The run's `cursor` is the last that was decided, and `page` in its options where
    that was.
    """

    def __init__(
        self,
        at_work: LibrarySlice,
        client: StashClient,
        service: RecognitionService,
        active: ActiveRelease,
    ) -> None:
        self._at_work = at_work
        self._run = at_work.run
        self._client = client
        self._service = service
        self._active = active
        self._passed_count = 0

    def go_on(self) -> bool:
        """Decide page after page until the slice is over; return whether all are."""
        # Performers that were deleted meanwhile moved others to the page before.
        number = max(self._run.options.get("page", 1) - 1, 1)
        before: int | None = 0 if number == 1 else None
        while True:
            page = self._client.performers_page(number)
            self._at_work.write(
                options={"page": number},
                total_count=max(page.total_count, self._run.done_count),
            )
            if not self._decide_page(page, after_id=before):
                return False
            if page.is_last:
                return True
            before = page.performers[-1].id
            number += 1

    def _decide_page(self, page: PerformersPage, *, after_id: int | None) -> bool:
        """Decide its performers; return whether the slice lasted for all of them."""
        correction_identities.add_ids_of(page.performers)
        ids = {performer.id for performer in page.performers}
        first = min(ids, default=0) if after_id is None else after_id + 1
        rows = LocalPerformer.objects.filter(stash_id__gte=first)
        if not page.is_last:
            rows = rows.filter(stash_id__lte=max(ids))
        known = {row.stash_id: row for row in rows}
        self._forget(
            {
                stash_id
                for stash_id in known.keys() - ids
                if stash_id > self._run.cursor and self._is_gone(stash_id)
            }
        )
        # What a page that Stash broke off had counted is counted again.
        self._passed_count = 0
        for performer in page.performers:
            if performer.id <= self._run.cursor:
                continue
            if self._is_to_learn(performer, known.get(performer.id)):
                self._settle_passed(performer.id - 1)
                self._learn(performer)
                if self._at_work.is_over():
                    return False
            else:
                self._passed_count += 1
        self._forget({p.id for p in page.performers if p.id in known and self._has(p)})
        self._settle_passed(max(ids, default=0))
        return page.is_last or not self._at_work.is_over()

    def _is_to_learn(
        self, performer: PicturedPerformer, row: LocalPerformer | None
    ) -> bool:
        if self._has(performer):
            return False
        if row is None:
            return performer.has_own_image or performer.image_count > 0
        if row.state == LocalPerformer.State.LEFT_OUT:
            return False
        now = local_faces.learnt_from(performer, self._active.network_set)
        return row.learnt_from != now

    def _has(self, performer: PicturedPerformer) -> bool:
        """Return whether the release knows the performer."""
        return bool(performer.stash_ids) and not self._released.isdisjoint(
            performer.universal_ids
        )

    @cached_property
    def _released(self) -> frozenset[str]:
        """The universal ids of the active release; takes a second for 100,000."""
        release = open_prepared(self._active.path)
        return frozenset(
            release.performer(row).universal_id
            for row in range(release.performer_count)
        )

    def _is_gone(self, stash_id: int) -> bool:
        """Return whether Stash has no such performer: deleted, or merged into another.

        Not being on a page does not tell: pages shift.
        """
        try:
            self._client.get_performer(stash_id)
        except StashNotFound:
            return True
        return False

    def _forget(self, stash_ids: set[int]) -> None:
        if forgotten := local_faces.forget_performers(stash_ids):
            logger.info("%s: forgot %d performers", self._run, forgotten)
            self._at_work.get_on(changed_count=self._run.changed_count + forgotten)

    def _learn(self, performer: PicturedPerformer) -> None:
        """Have the performer learnt, and count what came of it."""
        run = self._run
        facts: dict[str, Any] = {"done_count": run.done_count + 1}
        try:
            self._service.learn_local(performer.id)
        except RecognitionServiceRefused as refused:
            is_hopeless = refused.refusal in _HOPELESS_CODES
            if is_hopeless or refused.http_status in (401, 403):
                raise
            logger.info("Performer %d was not learnt: %s", performer.id, refused)
            facts["failed_count"] = run.failed_count + 1
        else:
            facts["succeeded_count"] = run.succeeded_count + 1
            facts["changed_count"] = run.changed_count + 1
        self._at_work.get_on(**facts, cursor=performer.id)

    def _settle_passed(self, cursor: int) -> None:
        """Count those that needed nothing, up to the one of this id."""
        count, self._passed_count = self._passed_count, 0
        run = self._run
        self._at_work.get_on(
            cursor=max(cursor, run.cursor),
            skipped_count=run.skipped_count + count,
            done_count=run.done_count + count,
        )
