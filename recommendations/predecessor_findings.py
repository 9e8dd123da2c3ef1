"""Writing what the predecessor found, and what people decided of it.

A recommendation, dismissal or snapshot that is here already is left as it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.utils import timezone

from recommendations.findings import AUTO_RESOLVED, IMPORTED
from recommendations.models import Dismissal, Recommendation, UpstreamSnapshot
from recommendations.predecessor_mapping import (
    DISMISSED,
    FINGERPRINT_MATCH,
    PENDING,
    Identity,
    LeftBehind,
    OldDismissal,
    OldRecommendation,
    OldSnapshot,
    dismissal_of,
    logic_version_key,
    recommendation_of,
    shown,
    snapshot_of,
)
from recommendations.predecessor_reader import Row, Source
from recommendations.predecessor_report import Part, Report

# A query has this many places for values with every SQLite that Django supports.
_CHUNK = 200
_TARGET = ("type", "target_type", "target_id")
_DISMISSAL = (*_TARGET, "dismissed_at", "reason", "permanent")
_RECOMMENDATION = (
    "id", *_TARGET, "status", "details", "confidence", "resolution_action",
    "resolution_details", "resolved_at", "created_at", "updated_at",
)  # fmt: skip
_SNAPSHOT = (
    "entity_type", "local_entity_id", "endpoint", "stash_box_id", "upstream_data",
    "fetched_at",
)  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """A recommendation, and whether the predecessor keeps a dismissal of it apart."""

    old: OldRecommendation
    status: str
    has_dismissal: bool


def import_dismissals(source: Source, report: Report) -> None:
    """Store what is not to be proposed again; before the recommendations.

    One whose recommendation is here was decided of here, whatever that decision was.
    """
    part = report.begin("dismissals")
    seen: set[Identity] = set()
    for rows in _chunks(source.rows("dismissed_targets", _DISMISSAL)):
        found: dict[Identity, OldDismissal] = {}
        for row in rows:
            try:
                recommendation = source.find(
                    "recommendations", ["details"], {key: row[key] for key in _TARGET}
                )
                old = dismissal_of(row, recommendation and recommendation["details"])
                _require_new(old.identity, seen)
                found[old.identity] = old
            except LeftBehind as error:
                part.leave(_named(row), error)
        here = _here(Dismissal, found) | _here(Recommendation, found)
        part.here_count += len(here)
        _store_dismissals([old for key, old in found.items() if key not in here])
        part.imported_count += len(found) - len(here)


def import_recommendations(
    source: Source, report: Report, *, disabled_endpoints: frozenset[str]
) -> None:
    """Store what was found, whatever became of it, under the identities of here."""
    part = report.begin("recommendations")
    seen: set[Identity] = set()
    for rows in _chunks(source.rows("recommendations", _RECOMMENDATION, order="id")):
        found: dict[Identity, _Found] = {}
        for row in rows:
            try:
                old = _read(source, row, disabled_endpoints)
                _require_new(old.old.identity, seen)
                found[old.old.identity] = old
            except LeftBehind as error:
                part.leave(_named(row), error)
        _store_found(found, part, report)


def import_snapshots(source: Source, report: Report) -> None:
    """Store what the library was last agreed with; nothing of it counts as seen.

    So everything is asked for once, and compared with what the predecessor knew.
    """
    part = report.begin("snapshots")
    versions = {
        about: row["logic_version"]
        for row in source.rows("analysis_watermarks", ["type", "logic_version"])
        if (about := logic_version_key(row["type"])) is not None
    }
    seen: set[tuple[str, str, int]] = set()
    # Of what was linked with one entry after the other, the newest comes along.
    newest_first = source.rows("upstream_snapshots", _SNAPSHOT, order="-fetched_at")
    for rows in _chunks(newest_first):
        found: dict[tuple[str, str, int], OldSnapshot] = {}
        for row in rows:
            try:
                old = snapshot_of(row, versions)
                key = (old.entity_type, old.endpoint, old.local_id)
                _require_new(key, seen)
                found[key] = old
            except LeftBehind as error:
                what = f"{row['entity_type']} {row['local_entity_id']}"
                part.leave(shown(what), error)
        _store_snapshots(found, part)


def _read(source: Source, row: Row, disabled_endpoints: frozenset[str]) -> _Found:
    old = recommendation_of(row)
    target = {key: row[key] for key in _TARGET}
    dismissal = source.find("dismissed_targets", ["type"], target)
    identity = old.identity
    if (
        old.status == DISMISSED
        and dismissal is None
        and identity.type == FINGERPRINT_MATCH
        and identity.endpoint in disabled_endpoints
    ):
        # Switching a stash-box off closes them so, and they never come back there.
        raise LeftBehind("it was closed with its stash-box, which nobody decided of it")
    is_dismissed = old.status == PENDING and dismissal is not None
    return _Found(
        old=old,
        status=DISMISSED if is_dismissed else old.status,
        has_dismissal=dismissal is not None,
    )


def _store_found(found: dict[Identity, _Found], part: Part, report: Report) -> None:
    here = _here(Recommendation, found)
    dismissed_here = _here(Dismissal, found)
    # Dismissed here while it waited there.
    here |= {
        key
        for key in dismissed_here
        if found[key].status == PENDING and not found[key].has_dismissal
    }
    part.here_count += len(here)
    new = {key: each for key, each in found.items() if key not in here}
    _store_dismissals(
        [
            OldDismissal(
                identity=key,
                is_permanent=False,
                reason="",
                dismissed_at=each.old.updated_at,
            )
            for key, each in new.items()
            if each.status == DISMISSED
            and not each.has_dismissal
            and key not in dismissed_here
        ]
    )
    for each in new.values():
        _insert(_row_of(each))
        for remark in each.old.remarks:
            report.remarks.add(f"{each.old.identity}: {remark}")
    part.imported_count += len(new)


def _row_of(found: _Found) -> Recommendation:
    old = found.old
    created_at = old.created_at or timezone.now()
    # What waits is brought up to date by the next analysis, and what went away by
    # itself comes back when it is found again.
    is_decided = found.status != PENDING and old.resolution_action != AUTO_RESOLVED
    return Recommendation(
        **old.identity._asdict(),
        status=found.status,
        details=old.details,
        cause=IMPORTED if is_decided else "",
        confidence=old.confidence,
        resolution_action=old.resolution_action,
        resolution_details=old.resolution_details,
        resolved_at=old.resolved_at,
        created_at=created_at,
        updated_at=old.updated_at or created_at,
    )


def _store_dismissals(dismissals: Sequence[OldDismissal]) -> None:
    for old in dismissals:
        _insert(
            Dismissal(
                **old.identity._asdict(),
                is_permanent=old.is_permanent,
                reason=old.reason,
                cause=IMPORTED,
                dismissed_at=old.dismissed_at or timezone.now(),
            )
        )


def _insert(row: Recommendation | Dismissal) -> None:
    """Insert a row with the times it says, where saving would write the present."""
    row.save_base(raw=True, force_insert=True)


def _store_snapshots(
    found: dict[tuple[str, str, int], OldSnapshot], part: Part
) -> None:
    rows = UpstreamSnapshot.objects.filter(
        local_id__in={old.local_id for old in found.values()}
    )
    here = found.keys() & set(rows.values_list("entity_type", "endpoint", "local_id"))
    part.here_count += len(here)
    part.imported_count += len(found) - len(here)
    UpstreamSnapshot.objects.bulk_create(
        UpstreamSnapshot(
            entity_type=old.entity_type,
            local_id=old.local_id,
            endpoint=old.endpoint,
            stash_box_id=old.stash_box_id,
            base=old.base,
        )
        for key, old in found.items()
        if key not in here
    )


def _here(model: Any, wanted: Iterable[Identity]) -> set[Identity]:
    """Return those of the identities that have a row."""
    ids: dict[tuple[str, str], list[str]] = {}
    identities = set(wanted)
    for each in identities:
        ids.setdefault((each.type, each.target_type), []).append(each.target_id)
    here: set[Identity] = set()
    for (type, target_type), target_ids in ids.items():
        rows = model.objects.filter(
            type=type, target_type=target_type, target_id__in=target_ids
        )
        here |= {Identity(*row) for row in rows.values_list(*Identity._fields)}
    return here & identities


def _require_new(key: Any, seen: set[Any]) -> None:
    if key in seen:
        raise LeftBehind("it is there twice")
    seen.add(key)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _named(row: Row) -> str:
    number = f" {row['id']}" if "id" in row else ""
    what = f"{row['type']} of {row['target_type']} {row['target_id']}"
    return shown(f"{what}{number and f' (row{number})'}")
