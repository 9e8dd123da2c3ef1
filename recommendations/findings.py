"""How what an analysis found becomes recommendations that keep their ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from recommendations.analyzers.base import Analyzer, Finding, Target
from recommendations.models import Dismissal, Recommendation

Status = Recommendation.Status

# Of a row that an analysis closed because its cause is gone.
AUTO_RESOLVED = "auto_resolved"
# The cause of what people decided before the import, which nobody knows: the first look
# at the target says it. Found, it is what is found; else there is none any more.
IMPORTED = "imported"
# A query has this many places for values with every SQLite that Django supports.
_CHUNK = 200


@dataclass
class Recorded:
    """How many were found, and how many of them nobody had been told of."""

    found_count: int = 0
    created_count: int = 0


def record(
    analyzer: Analyzer, findings: Sequence[Finding], *, pass_id: int
) -> Recorded:
    """Store findings: create, bring up to date or open again; in one transaction.

    What was dismissed for good is left out, and what was decided is opened again with
    another cause alone.
    """
    recorded = Recorded(found_count=len(findings))
    for start in range(0, len(findings), _CHUNK):
        chunk = {each.target: each for each in findings[start : start + _CHUNK]}
        rows = _rows(analyzer.type, chunk, Recommendation)
        dismissals = _rows(analyzer.type, chunk, Dismissal)
        created = []
        for target, finding in chunk.items():
            row, dismissal = rows.get(target), dismissals.get(target)
            _adopt_cause(row, finding)
            _adopt_cause(dismissal, finding)
            if _is_dismissed(analyzer, dismissal, finding):
                continue
            if row is None:
                created.append(_new(analyzer.type, finding, pass_id))
            elif _bring_up_to_date(row, finding, pass_id):
                recorded.created_count += 1
        Recommendation.objects.bulk_create(created)
        recorded.created_count += len(created)
    return recorded


def clear(type: str, targets: Sequence[Target]) -> int:
    """Resolve pending ones whose cause is gone; returns how many."""
    cleared = 0
    for start in range(0, len(targets), _CHUNK):
        chunk = targets[start : start + _CHUNK]
        rows = _rows(type, chunk, Recommendation).values()
        pending = [row.pk for row in rows if row.status == Status.PENDING]
        cleared += _auto_resolve(Recommendation.objects.filter(pk__in=pending))
        _forget_import(Recommendation.objects.filter(pk__in=_imported(rows)))
        dismissals = _rows(type, chunk, Dismissal).values()
        _forget_import(Dismissal.objects.filter(pk__in=_imported(dismissals)))
    return cleared


def sweep(type: str, endpoint: str | None, *, pass_id: int) -> int:
    """Resolve pending ones of an endpoint that this pass did not find any more.

    None: of every endpoint, and those without one.
    """
    rows = Recommendation.objects.filter(type=type)
    dismissals = Dismissal.objects.filter(type=type)
    if endpoint is not None:
        rows = rows.filter(endpoint=endpoint)
        dismissals = dismissals.filter(endpoint=endpoint)
    # Those that were found have another cause since.
    _forget_import(rows)
    _forget_import(dismissals)
    # An older pass that was taken up again says nothing of what a newer one saw.
    return _auto_resolve(rows.filter(last_pass_id__lt=pass_id))


def close_endpoint(endpoint: str) -> int:
    """Resolve all pending ones that are about a stash-box; returns how many.

    They are no dismissals: found again, they are proposed again.
    """
    return _auto_resolve(Recommendation.objects.filter(endpoint=endpoint))


def dismissed_for_good(type: str, target_type: str, endpoint: str) -> set[str]:
    """Return the ids of targets that need not even be looked at."""
    rows = Dismissal.objects.filter(
        type=type, target_type=target_type, is_permanent=True
    ).filter(Q(endpoint=endpoint) | Q(endpoint=""))
    return set(rows.values_list("target_id", flat=True))


def _auto_resolve(rows: Any) -> int:
    now = timezone.now()
    count: int = rows.filter(status=Status.PENDING).update(
        status=Status.RESOLVED,
        resolution_action=AUTO_RESOLVED,
        resolved_at=now,
        updated_at=now,
        # Found again, it is another matter.
        cause="",
    )
    return count


def _adopt_cause(row: Recommendation | Dismissal | None, finding: Finding) -> None:
    """Have what was decided before the import be decided of what is found at first."""
    if row is not None and row.cause == IMPORTED:
        # Nothing else of the row: it is as somebody left it.
        type(row).objects.filter(pk=row.pk, cause=IMPORTED).update(cause=finding.cause)
        row.cause = finding.cause


def _forget_import(rows: Any) -> None:
    """Have what is found from now on be another matter."""
    rows.filter(cause=IMPORTED).update(cause="")


def _imported(rows: Iterable[Any]) -> list[int]:
    return [row.pk for row in rows if row.cause == IMPORTED]


def _rows(type: str, targets: Iterable[Target], model: Any) -> dict[Target, Any]:
    wanted = {*targets}
    ids = {target.target_id for target in wanted}
    rows = model.objects.filter(type=type, target_id__in=ids)
    found = {Target(row.target_type, row.target_id, row.endpoint): row for row in rows}
    # The same thing may be recommended for another stash-box too.
    return {target: row for target, row in found.items() if target in wanted}


def _is_dismissed(
    analyzer: Analyzer, dismissal: Dismissal | None, finding: Finding
) -> bool:
    if dismissal is None:
        return False
    if dismissal.is_permanent or not analyzer.reopens_when_changed:
        return True
    if dismissal.cause == finding.cause:
        return True
    dismissal.delete()
    return False


def _new(type: str, finding: Finding, pass_id: int) -> Recommendation:
    return Recommendation(
        type=type,
        target_type=finding.target.target_type,
        target_id=finding.target.target_id,
        endpoint=finding.target.endpoint,
        details=finding.details,
        cause=finding.cause,
        confidence=finding.confidence,
        last_pass_id=pass_id,
    )


def _bring_up_to_date(row: Recommendation, finding: Finding, pass_id: int) -> bool:
    """Write the finding into its row; return whether that opened it again."""
    is_opened = row.status != Status.PENDING and row.cause != finding.cause
    now = timezone.now()
    facts: dict[str, Any] = {"last_pass_id": max(pass_id, row.last_pass_id)}
    if is_opened:
        facts |= {
            "status": Status.PENDING,
            "resolution_action": "",
            "resolution_details": {},
            "resolved_at": None,
            "updated_at": now,
        }
    is_pending = is_opened or row.status == Status.PENDING
    if is_pending and (
        is_opened
        or row.details != finding.details
        or row.confidence != finding.confidence
    ):
        facts |= {
            "details": finding.details,
            "confidence": finding.confidence,
            "updated_at": now,
        }
    if is_pending:
        facts["cause"] = finding.cause
    # Only as it was read: somebody may have decided meanwhile.
    rows = Recommendation.objects.filter(pk=row.pk, status=row.status)
    return bool(rows.update(**facts)) and is_opened
