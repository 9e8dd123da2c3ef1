"""How far an analysis has come: its high-water marks, written with what it found.

A mark is a moment of Stash's clock or of ours. It lies a little before the pass began,
so that what changed while it went on is looked at again rather than never.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from recommendations.models import HighWaterMark

# Longer than one reading of a page, and than clocks of one network differ.
OVERLAP = timedelta(minutes=10)


def find_mark(type: str, endpoint: str, *, logic_version: int) -> HighWaterMark | None:
    """Return how far the analysis has come; None where all is to be looked at anew."""
    return HighWaterMark.objects.filter(
        type=type,
        endpoint=endpoint,
        logic_version=logic_version,
        reached_at__isnull=False,
    ).first()


def reach(
    type: str,
    endpoint: str,
    *,
    reached_at: datetime,
    logic_version: int,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write how far the analysis has come."""
    HighWaterMark.objects.update_or_create(
        type=type,
        endpoint=endpoint,
        defaults={
            "reached_at": reached_at,
            "logic_version": logic_version,
            "facts": dict(facts or {}),
        },
    )


def overlapping(newest: datetime | None, began_at: datetime) -> datetime:
    """Return the mark after a pass that saw `newest`, by whosever clock.

    What changed from the pass's beginning on may have been read too early. Stash's
    clock may be behind ours, so what it told of counts if that is earlier.
    """
    latest = began_at - OVERLAP
    return latest if newest is None else min(newest, latest)


def later(newest: datetime | None, other: datetime) -> datetime:
    return other if newest is None else max(newest, other)


def as_text(moment: datetime | None) -> str | None:
    """Return what `as_moment` reads, for cursors and facts."""
    return None if moment is None else moment.isoformat()


def as_moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
