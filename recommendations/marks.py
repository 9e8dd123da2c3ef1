"""How far an analysis of Stash's rows has come, as moments. PURE.

A mark is a moment of Stash's clock or of ours. It lies a little before the pass began,
so that what changed while it went on is looked at again rather than never.
"""

from datetime import datetime, timedelta
from typing import Any

# Longer than one reading of a page, and than clocks of one network differ.
OVERLAP = timedelta(minutes=10)


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
