"""The settings of recommendations that users change while the service runs."""

from stashsense.preferences import values
from stashsense.preferences.definitions import (
    Applies,
    Category,
    Definition,
    Kind,
    register,
)

RECOMMENDATIONS = Category("recommendations", "Recommendations", order=5)

# The predecessor's.
DEFAULT_MIN_MATCH_COUNT = 2
DEFAULT_MIN_MATCH_PERCENTAGE = 66.0

DEFINITIONS = (
    Definition(
        key="scene_fp_min_count",
        kind=Kind.INT,
        category=RECOMMENDATIONS,
        label="Fingerprints of a sure scene",
        description=(
            "So many fingerprints of a scene's files have to be those of one scene of "
            "a stash-box for it to be marked as sure."
        ),
        applies=Applies.LIVE,
        fallback=DEFAULT_MIN_MATCH_COUNT,
        minimum=1,
        maximum=100,
    ),
    Definition(
        key="scene_fp_min_percentage",
        kind=Kind.FLOAT,
        category=RECOMMENDATIONS,
        label="Share of a sure scene",
        description=(
            "So many percent of a scene's fingerprints have to be those of one scene "
            "of a stash-box for it to be marked as sure."
        ),
        applies=Applies.LIVE,
        fallback=DEFAULT_MIN_MATCH_PERCENTAGE,
        minimum=0.0,
        maximum=100.0,
    ),
)


def register_all() -> None:
    """Register the settings of recommendations."""
    register(*DEFINITIONS)


def scene_fp_min_count() -> int:
    """Return how many fingerprints have to agree for a match to be sure."""
    return int(values.value_of("scene_fp_min_count"))


def scene_fp_min_percentage() -> float:
    """Return which share of them, in percent."""
    return float(values.value_of("scene_fp_min_percentage"))
