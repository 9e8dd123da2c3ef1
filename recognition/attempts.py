"""How often scenes and images could not be looked at, and which are to be again.

An attempt is counted before the work, so that what ends its process is counted too.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from recognition.models import Fingerprint
from recognition.models.fingerprints import FingerprintQuerySet

Kind = Fingerprint.Kind
State = Fingerprint.State

BEGUN = "It was begun and has not ended."


def begin_attempt(kind: Fingerprint.Kind, stash_id: int) -> Fingerprint:
    """Count an attempt that is about to be made; what was seen before stays."""
    with transaction.atomic():
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
    _rows(kind, stash_id).filter(attempt_count__gt=0).update(error=reason)


def forgive_attempt(kind: Fingerprint.Kind, stash_id: int) -> None:
    """Count an attempt no more that ended for no fault of the scene's or image's."""
    rows = _rows(kind, stash_id)
    with transaction.atomic():
        rows.filter(attempt_count__gt=0).update(
            attempt_count=F("attempt_count") - 1, error=""
        )
        # Nothing is known of it, as before.
        rows.filter(state=State.FAILED, attempt_count=0).delete()


def forget(kind: Fingerprint.Kind, stash_id: int) -> None:
    """Forget attempts at what is not in Stash any more."""
    rows = _rows(kind, stash_id)
    with transaction.atomic():
        rows.filter(state=State.FAILED).delete()
        rows.update(attempt_count=0, error="")


def mark_for_refresh(scene_ids: Iterable[int] | None = None) -> int:
    """Have scenes looked at again by the next run; all without ids. Return how many."""
    scenes = Fingerprint.objects.scenes()
    if scene_ids is not None:
        scenes = scenes.filter(stash_id__in=[*scene_ids])
    with transaction.atomic():
        marked = scenes.count()
        scenes.complete().update(state=State.PENDING)
        scenes.update(attempt_count=0)
    return marked


def _rows(kind: Fingerprint.Kind, stash_id: int) -> FingerprintQuerySet:
    return Fingerprint.objects.filter(kind=kind, stash_id=stash_id)
