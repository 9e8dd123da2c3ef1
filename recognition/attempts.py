"""How often scenes and images could not be looked at, and which are to be again.

An attempt is counted before the work, so that what ends its process is counted too.
"""

from collections.abc import Iterator, Sequence

from django.db.models import F
from django.utils import timezone

from recognition.models import Fingerprint
from recognition.models.fingerprints import FingerprintQuerySet
from stashsense.turns import in_turn

Kind = Fingerprint.Kind
State = Fingerprint.State

# SQLite takes 32,766 values in a query.
IDS_PER_QUERY = 1000
BEGUN = "It was begun and has not ended."


def begin_attempt(kind: Fingerprint.Kind, stash_id: int) -> Fingerprint:
    """Count an attempt that is about to be made; what was seen before stays."""
    with in_turn():
        fingerprint, _ = Fingerprint.objects.get_or_create(
            kind=kind, stash_id=stash_id, defaults={"state": State.FAILED}
        )
        _rows(kind, stash_id).update(
            attempt_count=F("attempt_count") + 1,
            error=BEGUN,
            attempted_at=timezone.now(),
        )
    fingerprint.refresh_from_db()
    return fingerprint


def note_failure(kind: Fingerprint.Kind, stash_id: int, reason: str) -> None:
    """Write why the attempt that was counted failed."""
    _rows(kind, stash_id).update(error=reason)


def forgive_attempt(kind: Fingerprint.Kind, stash_id: int) -> None:
    """Count an attempt no more that ended for no fault of the scene's or image's."""
    rows = _rows(kind, stash_id)
    with in_turn():
        rows.filter(attempt_count__gt=0).update(
            attempt_count=F("attempt_count") - 1, error=""
        )
        # Nothing is known of it, as before.
        rows.filter(state=State.FAILED, attempt_count=0).delete()


def forget(kind: Fingerprint.Kind, stash_id: int) -> None:
    """Forget attempts at what is not in Stash any more."""
    rows = _rows(kind, stash_id)
    with in_turn():
        rows.filter(state=State.FAILED).delete()
        rows.update(attempt_count=0, error="")


def mark_for_refresh(scene_ids: Sequence[int]) -> int:
    """Have these scenes looked at again by the next run; return how many are kept."""
    with in_turn():
        return sum(
            _mark(Fingerprint.objects.scenes().filter(stash_id__in=ids))
            for ids in _chunks(sorted({*scene_ids}))
        )


def mark_all_for_refresh() -> int:
    """Have every scene looked at again by the next run; return how many are kept."""
    with in_turn():
        return _mark(Fingerprint.objects.scenes())


def _mark(scenes: FingerprintQuerySet) -> int:
    marked = scenes.count()
    scenes.complete().update(state=State.PENDING)
    scenes.update(attempt_count=0)
    return marked


def _rows(kind: Fingerprint.Kind, stash_id: int) -> FingerprintQuerySet:
    return Fingerprint.objects.filter(kind=kind, stash_id=stash_id)


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), IDS_PER_QUERY):
        yield ids[start : start + IDS_PER_QUERY]
