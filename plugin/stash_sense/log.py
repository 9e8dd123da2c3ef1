"""Lines for Stash's log and its progress bar, which it reads from stderr."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

# A longer line ends Stash's reading of the log.
_MAX_CHARACTERS = 4000


def log(level: str, text: str) -> None:
    """Write one line; the level is one of t, d, i, w, e."""
    line = " ".join(text.split())[:_MAX_CHARACTERS]
    _write(f"\x01{level}\x02{line}\n")


def show_progress(share: float) -> None:
    """Move the progress bar of the task, from 0 to 1."""
    _write(f"\x01p\x02{min(1.0, max(0.0, share)):.4f}\n")


def places_of(mistake: Exception) -> str:
    """Return what and where a mistake of ours is, and no value of anything."""
    steps = traceback.extract_tb(mistake.__traceback__)
    places = [f"{Path(each.filename).name}:{each.lineno}" for each in reversed(steps)]
    return f"{type(mistake).__name__} at {' < '.join(places)}"


def _write(line: str) -> None:
    sys.stderr.write(line.encode("ascii", "backslashreplace").decode("ascii"))
    sys.stderr.flush()
