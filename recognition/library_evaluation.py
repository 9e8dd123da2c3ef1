"""Evaluating names on the library, slice by slice: choosing a sample, matching it.

The sample is chosen once and each of its items is decided once. Where the release is
exchanged meanwhile, all of them are matched again: figures are of one release.
"""

import functools
import logging
import random
from collections.abc import Iterator
from pathlib import Path

from django.db.models import QuerySet

from dbupdates.prepared import open_prepared
from dbupdates.store import ActiveRelease, active_release
from recognition.exceptions import (
    NothingToEvaluate,
    RecognitionServiceAway,
    RecognitionServiceRefused,
)
from recognition.library_identification import (
    HOPELESS,
    HOPELESS_CODES,
    PASSING_CODES,
)
from recognition.models import EvaluatedItem, Evaluation, Fingerprint
from recognition.recognition_service import RecognitionService
from recognition.slice_at_work import LibrarySlice
from stashsense.integrations.stash import StashClient, configured_client
from stashsense.integrations.stash_errors import StashError
from stashsense.integrations.stash_tags import (
    TaggedKind,
    iter_tagged,
    iter_tagged_among,
)
from stashsense.integrations.stash_types import TaggedItem
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

Kind = EvaluatedItem.Kind
State = EvaluatedItem.State

POLL_SECONDS = 0.2


class _NotNow(Exception):
    """The item cannot be decided now, for no fault of its own."""


class _Unusable(Exception):
    """Nothing can be learnt from the item."""


def go_on(at_work: LibrarySlice) -> bool:
    """Evaluate for a slice; return whether nothing is left.

    Raises NothingToEvaluate, LibraryRunStuck; StashError or RecognitionServiceRefused
    where no waiting helps.
    """
    service = RecognitionService()
    try:
        return _Pass(at_work, configured_client(), service).go_on()
    finally:
        service.close()


@functools.lru_cache(maxsize=1)
def known_universal_ids(release_path: Path) -> frozenset[str]:
    """Return who is in a release; releases are never modified."""
    release = open_prepared(release_path)
    rows = range(release.performer_count)
    return frozenset(release.performer(row).universal_id for row in rows)


class _Pass:
    """One slice of an evaluation."""

    def __init__(
        self, at_work: LibrarySlice, client: StashClient, service: RecognitionService
    ) -> None:
        self._at_work = at_work
        self._run = at_work.run
        self._evaluation: Evaluation = at_work.run.evaluation
        self._client = client
        self._service = service

    def go_on(self) -> bool:
        while not self._at_work.is_over():
            try:
                if self._is_done():
                    return True
            except HOPELESS:
                raise
            except RecognitionServiceAway as away:
                self._at_work.wait_out(
                    away, at_least_seconds=away.asked_to_wait_seconds
                )
            except (StashError, _NotNow) as reason:
                self._at_work.wait_out(reason)
        return False

    def _is_done(self) -> bool:
        """Do the next step; return whether there was none."""
        if not self._evaluation.is_sampled:
            self._choose_sample(self._active_release())
        if not self._run.total_count:
            self._tell_how_far()
        item = self._items.filter(state=State.PENDING).first()
        if item is None:
            self._require_something()
            return True
        try:
            is_decided = self._evaluate(item)
        except _Unusable as reason:
            item.state, item.reason = State.SKIPPED, str(reason)
            is_decided = True
        if is_decided:
            item.save()
            self._tell_how_far()
        return False

    @property
    def _items(self) -> QuerySet[EvaluatedItem]:
        return self._evaluation.items.all()

    def _tell_how_far(self) -> None:
        evaluated = self._items.filter(state=State.EVALUATED).count()
        skipped = self._items.filter(state=State.SKIPPED).count()
        self._at_work.get_on(
            total_count=self._items.count(),
            done_count=evaluated + skipped,
            succeeded_count=evaluated,
            skipped_count=skipped,
        )

    def _active_release(self) -> ActiveRelease:
        release = active_release()
        if release is None:
            raise _NotNow("No release is active.")
        return release

    # Which items

    def _choose_sample(self, release: ActiveRelease) -> None:
        known = known_universal_ids(release.path)
        chosen: list[EvaluatedItem] = []
        seen_counts = dict.fromkeys(self._evaluation.kinds, 0)
        for kind in map(Kind, self._evaluation.kinds):
            room = self._evaluation.sample_size
            for item in self._iter_tagged(kind, release):
                self._at_work.check()
                seen_counts[kind] += 1
                tagged = _tagged_as_json(item, known)
                if not any(one["is_known"] for one in tagged):
                    continue
                chosen.append(self._item(len(chosen), kind, item, tagged))
                room -= 1
                if not room:
                    break
        if not chosen:
            raise NothingToEvaluate(self._what_is_missing(seen_counts, release))
        with in_turn():
            self._items.delete()
            EvaluatedItem.objects.bulk_create(chosen)
            self._evaluation.is_sampled = True
            self._evaluation.release_version = release.version
            self._evaluation.network_set = release.network_set
            self._evaluation.save()

    def _item(
        self,
        number: int,
        kind: EvaluatedItem.Kind,
        item: TaggedItem,
        tagged: list[dict[str, object]],
    ) -> EvaluatedItem:
        return EvaluatedItem(
            evaluation=self._evaluation,
            number=number,
            kind=kind,
            stash_id=item.id,
            title=item.title,
            tagged=tagged,
        )

    def _iter_tagged(
        self, kind: EvaluatedItem.Kind, release: ActiveRelease
    ) -> Iterator[TaggedItem]:
        """Yield what is tagged and may be evaluated, in the seed's order."""
        seed = self._evaluation.seed
        if self._evaluation.may_decode:
            return iter_tagged(self._client, TaggedKind(kind.value), seed=seed)
        kept = Fingerprint.objects.complete().filter(
            kind=kind.value, network_set=release.network_set
        )
        ids = sorted(kept.values_list("stash_id", flat=True))
        random.Random(seed).shuffle(ids)
        return iter_tagged_among(self._client, TaggedKind(kind.value), ids)

    def _what_is_missing(
        self, seen_counts: dict[str, int], release: ActiveRelease
    ) -> str:
        kinds = " or ".join(self._evaluation.kinds)
        if seen_count := sum(seen_counts.values()):
            return (
                f"Of {seen_count} that are tagged none has a performer with a stash "
                f"id of release {release.version}. In Stash, link performers to the "
                "stash-box that knows them."
            )
        if self._evaluation.may_decode:
            return f"No {kinds} of Stash has performers. Tag some of them first."
        return (
            f"No {kinds} that was identified has performers in Stash. Tag some of "
            "them, identify the library first, or have what is missing decoded."
        )

    # What comes of them

    def _evaluate(self, item: EvaluatedItem) -> bool:
        """Have the item matched; False where the slice is over before."""
        kind, may_decode = Kind(item.kind), self._evaluation.may_decode
        try:
            if may_decode and kind is Kind.SCENE and not self._decode(item):
                return False
            answer = self._service.match_item(
                kind.value, item.stash_id, may_look=may_decode
            )
        except RecognitionServiceRefused as refused:
            if refused.http_status in (401, 403) or refused.refusal in HOPELESS_CODES:
                raise
            raise _Unusable(str(refused)) from refused
        release = self._active_release()
        if release.version != answer["release_version"]:
            raise _NotNow("Another release is being loaded.")
        if release.version != self._evaluation.release_version:
            self._start_over(release)
        known = known_universal_ids(release.path)
        for one in item.tagged:
            one["is_known"] = not known.isdisjoint(one["universal_ids"])
        if not any(one["is_known"] for one in item.tagged):
            raise _Unusable(f"Nobody tagged is in release {release.version}.")
        item.state, item.source = State.EVALUATED, str(answer["source"])
        item.people = answer["people"]
        return True

    def _start_over(self, release: ActiveRelease) -> None:
        """Have every item matched again: the others' figures are of another release."""
        logger.info("%s starts over with %s", self._evaluation, release.version)
        with in_turn():
            self._items.update(state=State.PENDING, people={}, reason="")
            self._evaluation.release_version = release.version
            self._evaluation.network_set = release.network_set
            self._evaluation.save()

    def _decode(self, item: EvaluatedItem) -> bool:
        """Have a scene identified of which nothing is kept; False: it goes on."""
        job_id = self._run.current_job_id
        if not job_id:
            kept = Fingerprint.objects.complete().filter(
                kind=item.kind,
                stash_id=item.stash_id,
                network_set=self._evaluation.network_set,
            )
            if kept.exists():
                return True
            job_id = self._service.start_job(item.stash_id, {})
            self._at_work.write(current_job_id=job_id)
        while not (answer := self._service.job(job_id))["ended_at"]:
            if self._at_work.is_over():
                return False
            self._at_work.pause(POLL_SECONDS)
        self._at_work.write(current_job_id="")
        if answer["state"] == "complete":
            return True
        reason = str(answer.get("error") or f"Its job was {answer['state']}.")
        if answer.get("code") in PASSING_CODES:
            raise _NotNow(reason)
        raise _Unusable(reason)

    def _require_something(self) -> None:
        if self._items.filter(state=State.EVALUATED).exists():
            return
        reasons = self._items.values_list("reason", flat=True)
        raise NothingToEvaluate(
            f"None of the {len(reasons)} chosen could be evaluated; of the first: "
            f"{reasons[0]}"
        )


def _tagged_as_json(item: TaggedItem, known: frozenset[str]) -> list[dict[str, object]]:
    return [
        {
            "performer_id": one.id,
            "name": one.name,
            "universal_ids": sorted(one.universal_ids),
            "is_known": not known.isdisjoint(one.universal_ids),
        }
        for one in item.performers
    ]
