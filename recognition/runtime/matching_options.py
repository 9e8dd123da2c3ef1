"""How faces are matched, and who of a release is tagged."""

from collections.abc import Set
from dataclasses import dataclass

from dbupdates.prepared import PreparedRelease
from recognition.numeric.calibration import SHIPPED_CALIBRATION, Calibration
from recognition.numeric.people import MatchingMode


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """How faces become people; the defaults are a scene's.

    `cluster_threshold` is the cosine distance from a person's mean beyond which a face
    is somebody else's; None is what suits the mode. `tagged` are universal ids, or
    bare ones.
    """

    mode: MatchingMode = MatchingMode.FREQUENCY
    top_k: int = 3
    max_distance: float = 0.5
    cluster_threshold: float | None = None
    tagged: frozenset[str] = frozenset()
    calibration: Calibration = SHIPPED_CALIBRATION


def tagged_among(
    release: PreparedRelease, rows: Set[int], tagged: frozenset[str]
) -> frozenset[int]:
    """Return the rows of tagged performers, of those who are a candidate at all.

    A release has no map from universal ids to rows, and a hundred thousand ids are
    not worth keeping for the few performers that a scene is about.
    """
    if not tagged:
        return frozenset()
    return frozenset(
        row
        for row in rows
        if not tagged.isdisjoint(_spellings(release.performer(row).universal_id))
    )


def _spellings(universal_id: str) -> tuple[str, str]:
    """Return the id, and the bare one that clients of the predecessor know it by."""
    return universal_id, universal_id.rpartition(":")[2]
