"""What people decide of recommendations: to act, that it is done, or to let it be."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from recommendations.exceptions import (
    RecommendationChanged,
    RecommendationClaimed,
    RecommendationClosed,
    RecommendationError,
    RecommendationNotFound,
)
from recommendations.findings import AUTO_RESOLVED
from recommendations.models import Dismissal, Recommendation
from recommendations.run_types import all_run_types
from stashsense.turns import in_turn

Status = Recommendation.Status

# Longer than any action takes; a process may have died while it acted.
CLAIM = timedelta(minutes=5)
# Dismissed in one transaction: others who write wait for some tenths of a second.
_CHUNK = 200


@dataclass(frozen=True)
class Person:
    """Who decides; None where only the key is known."""

    user: User | None = None


def get_recommendation(pk: int) -> Recommendation:
    """Return it; or raise RecommendationNotFound."""
    row = Recommendation.objects.filter(pk=pk).first()
    if row is None:
        raise RecommendationNotFound(f"There is no recommendation {pk}.")
    return row


def require_unchanged(row: Recommendation, seen_at: datetime | None) -> None:
    """Raise RecommendationChanged where a run found more since somebody saw it."""
    if seen_at is not None and row.updated_at > seen_at:
        raise RecommendationChanged(
            f"Recommendation {row.pk} has changed since it was looked at; look again.",
            facts={"updated_at": row.updated_at.isoformat()},
        )


@contextmanager
def claimed(row: Recommendation) -> Iterator[Recommendation]:
    """Let nobody else act on it while the block lasts.

    Raises RecommendationClaimed, or RecommendationClosed where it was decided before.
    """
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    rows = Recommendation.objects.filter(pk=row.pk)
    if not rows.pending().filter(free).update(claimed_until=now + CLAIM):
        _require_pending(row.pk)
        raise _claimed_error(row.pk)
    # The time is what tells one's own claim from that of whoever came after it.
    row.claimed_until = now + CLAIM
    try:
        row.refresh_from_db()
        yield row
    finally:
        if row.claimed_until is not None:
            rows.filter(claimed_until=row.claimed_until).update(claimed_until=None)


def hold_on(row: Recommendation) -> None:
    """Keep a claim for as long as a new one lasts, unless somebody else has it now."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    mine = Q(claimed_until=row.claimed_until)
    rows = Recommendation.objects.filter(free | mine, pk=row.pk)
    if rows.pending().update(claimed_until=now + CLAIM):
        row.claimed_until = now + CLAIM


def resolve(
    row: Recommendation, action: str, details: Mapping[str, Any] | None = None
) -> None:
    """Mark it as done; raises RecommendationClosed where it was decided before."""
    now = timezone.now()
    # An analysis may have seen it done before whoever did it could say so.
    undecided = Q(status=Status.PENDING) | Q(resolution_action=AUTO_RESOLVED)
    if not Recommendation.objects.filter(undecided, pk=row.pk).update(
        status=Status.RESOLVED,
        resolution_action=action[:64],
        resolution_details=dict(details or {}),
        resolved_at=now,
        updated_at=now,
        claimed_until=None,
    ):
        _require_pending(row.pk)
    row.refresh_from_db()
    _tell_analyzer(row)


def resolve_by_hand(
    row: Recommendation, action: str, details: Mapping[str, Any] | None = None
) -> None:
    """Mark it as done elsewhere, as `resolve` does.

    Raises RecommendationClaimed while somebody acts on it through us.
    """
    with in_turn():
        _require_free(Recommendation.objects.select_for_update().get(pk=row.pk))
        resolve(row, action, details)


def dismiss(
    row: Recommendation,
    *,
    person: Person,
    reason: str = "",
    is_permanent: bool = False,
) -> None:
    """Propose it no more; one that was dismissed may be dismissed for good later.

    Raises RecommendationClosed where it was resolved, and RecommendationClaimed while
    somebody acts on it.
    """
    now = timezone.now()
    with in_turn():
        locked = Recommendation.objects.select_for_update().get(pk=row.pk)
        if locked.status == Status.RESOLVED:
            raise RecommendationClosed(_closed_sentence(locked))
        _require_free(locked)
        Recommendation.objects.filter(pk=row.pk).update(
            status=Status.DISMISSED, updated_at=now
        )
        _keep_dismissal(locked, person, reason, is_permanent)
    row.refresh_from_db()
    _tell_analyzer(row)


def dismiss_all(type: str, *, person: Person, is_permanent: bool) -> int:
    """Dismiss every pending one of a type; returns how many. See `dismiss_rows`."""
    rows = Recommendation.objects.filter(type=type)
    return dismiss_rows(rows, person=person, is_permanent=is_permanent)


def dismiss_rows(
    rows: QuerySet[Recommendation], *, person: Person, is_permanent: bool
) -> int:
    """Dismiss the pending ones of these; returns how many.

    Left alone is what somebody acts on, and what is found while this goes on.
    """
    waiting = rows.filter(status=Status.PENDING).order_by("pk")
    newest = waiting.last()
    count, last_pk = 0, 0
    while newest is not None:
        chunk = [*waiting.filter(pk__gt=last_pk, pk__lte=newest.pk)[:_CHUNK]]
        if not chunk:
            break
        last_pk = chunk[-1].pk
        for row in _dismiss_together(chunk, person, is_permanent):
            _tell_analyzer(row)
            count += 1
    return count


@dataclass(frozen=True)
class NotDismissed:
    """One that stayed as it was, and the error that dismissing it alone would raise."""

    recommendation_id: int
    reason: RecommendationError


def dismiss_these(
    ids: Sequence[int],
    *,
    person: Person,
    is_permanent: bool,
    seen_at: datetime | None = None,
) -> tuple[list[int], list[NotDismissed]]:
    """Dismiss those of them that are pending; returns their ids, and the others.

    What changed since `seen_at` is left alone.
    """
    wanted = [*dict.fromkeys(ids)]
    dismissed: set[int] = set()
    for start in range(0, len(wanted), _CHUNK):
        chunk = Recommendation.objects.filter(pk__in=wanted[start : start + _CHUNK])
        if seen_at is not None:
            chunk = chunk.filter(updated_at__lte=seen_at)
        for row in _dismiss_together([*chunk], person, is_permanent):
            _tell_analyzer(row)
            dismissed.add(row.pk)
    left = [
        NotDismissed(pk, _why_not_dismissed(pk, seen_at))
        for pk in wanted
        if pk not in dismissed
    ]
    return [pk for pk in wanted if pk in dismissed], left


def _why_not_dismissed(pk: int, seen_at: datetime | None) -> RecommendationError:
    try:
        _require_pending(pk)
        require_unchanged(get_recommendation(pk), seen_at)
    except RecommendationError as error:
        return error
    return _claimed_error(pk)


def restore(row: Recommendation) -> None:
    """Take a dismissal back: it is pending again.

    Raises RecommendationClosed where it was resolved; its dismissal stays then.
    """
    with in_turn():
        locked = Recommendation.objects.select_for_update().get(pk=row.pk)
        if locked.status == Status.RESOLVED:
            raise RecommendationClosed(_closed_sentence(locked))
        Dismissal.objects.filter(**_identity(row)).delete()
        Recommendation.objects.filter(pk=row.pk, status=Status.DISMISSED).update(
            status=Status.PENDING, updated_at=timezone.now()
        )
    row.refresh_from_db()
    _tell_analyzer(row)


def find_dismissal(row: Recommendation) -> Dismissal | None:
    """Return what keeps it from being proposed; None where nobody dismissed it."""
    kept = Dismissal.objects.filter(**_identity(row)).select_related("user")
    return kept.first()


def is_dismissed_for_good(row: Recommendation) -> bool:
    """Return whether it is never to be proposed again."""
    kept = Dismissal.objects.filter(**_identity(row), is_permanent=True)
    return kept.exists()


def allow_again(dismissal: Dismissal) -> None:
    """Forget a dismissal; what it kept away is pending again where it is known."""
    rows = Recommendation.objects.of_target(**_identity(dismissal))
    row = rows.filter(status=Status.DISMISSED).first()
    if row is not None:
        restore(row)
    else:
        dismissal.delete()


def _dismiss_together(
    chunk: list[Recommendation], person: Person, is_permanent: bool
) -> list[Recommendation]:
    """Dismiss those of them that wait for somebody; returns these as they are now."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    with in_turn():
        waiting = Recommendation.objects.filter(free, pk__in=[row.pk for row in chunk])
        rows = [*waiting.pending().select_for_update()]
        Recommendation.objects.filter(pk__in=[row.pk for row in rows]).update(
            status=Status.DISMISSED, updated_at=now
        )
        _keep_dismissals(rows, person, is_permanent)
    for row in rows:
        row.status, row.updated_at = Status.DISMISSED, now
    return rows


def _keep_dismissals(
    rows: list[Recommendation], person: Person, is_permanent: bool
) -> None:
    kept = Dismissal.objects.filter(target_id__in=[row.target_id for row in rows])
    known = [_identity(dismissal) for dismissal in kept]
    added = []
    for row in rows:
        if _identity(row) in known:
            _keep_dismissal(row, person, "", is_permanent)
            continue
        added.append(
            Dismissal(
                **_identity(row),
                cause=row.cause,
                is_permanent=is_permanent,
                user=person.user,
            )
        )
    Dismissal.objects.bulk_create(added)


def _keep_dismissal(
    row: Recommendation, person: Person, reason: str, is_permanent: bool
) -> None:
    kept, is_new = Dismissal.objects.get_or_create(
        **_identity(row),
        defaults={
            "cause": row.cause,
            "reason": reason,
            "is_permanent": is_permanent,
            "user": person.user,
        },
    )
    if not is_new:
        # For good stays for good, whatever is asked for later.
        kept.is_permanent = kept.is_permanent or is_permanent
        kept.cause = row.cause
        kept.reason = reason or kept.reason
        kept.user = person.user or kept.user
        kept.save()


def _tell_analyzer(row: Recommendation) -> None:
    run_type = all_run_types().get(row.type)
    if run_type is not None and run_type.analyzer is not None:
        run_type.analyzer.decided(row)


def _identity(row: Recommendation | Dismissal) -> dict[str, str]:
    return {
        "type": row.type,
        "target_type": row.target_type,
        "target_id": row.target_id,
        "endpoint": row.endpoint,
    }


def _require_free(row: Recommendation) -> None:
    if row.claimed_until is not None and row.claimed_until >= timezone.now():
        raise _claimed_error(row.pk)


def _claimed_error(pk: int) -> RecommendationClaimed:
    return RecommendationClaimed(
        f"Somebody else acts on recommendation {pk} at this moment."
    )


def _require_pending(pk: int) -> None:
    row = get_recommendation(pk)
    if row.status != Status.PENDING:
        raise RecommendationClosed(_closed_sentence(row))


def _closed_sentence(row: Recommendation) -> str:
    if row.status == Status.DISMISSED:
        return f"Recommendation {row.pk} was dismissed before."
    by = f" by {row.resolution_action}" if row.resolution_action else ""
    return f"Recommendation {row.pk} was resolved before{by}."
