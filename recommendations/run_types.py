"""Everything the queue can start: the analyses, and two that other parts do."""

from dataclasses import dataclass

from recommendations.analyzers import ANALYZERS
from recommendations.analyzers.base import (
    FREQUENT_HOURS,
    INFREQUENT_HOURS,
    NORMAL_PRIORITY,
    Analyzer,
    Resource,
)
from recommendations.exceptions import UnknownAnalysis

FINGERPRINT_GENERATION = "fingerprint_generation"
DATABASE_UPDATE = "database_update"

# Runs that are worked at side by side, at most.
SLOTS = {Resource.GPU: 1, Resource.NETWORK: 2, Resource.LIGHT: 3}


@dataclass(frozen=True, kw_only=True)
class RunType:
    """A type of run as the queue shows it; `analyzer` is None for other parts' runs."""

    type: str
    display_name: str
    description: str
    resource: Resource
    default_priority: int
    default_interval_hours: float
    allowed_hours: tuple[int, ...]
    is_incremental: bool
    analyzer: Analyzer | None = None


def _of(analyzer: Analyzer) -> RunType:
    return RunType(
        type=analyzer.type,
        display_name=analyzer.display_name,
        description=analyzer.description,
        resource=analyzer.resource,
        default_priority=NORMAL_PRIORITY,
        default_interval_hours=analyzer.default_interval_hours,
        allowed_hours=analyzer.allowed_hours,
        is_incremental=analyzer.is_incremental,
        analyzer=analyzer,
    )


def all_run_types() -> dict[str, RunType]:
    """Return every type of run by its name, analyses first."""
    analyses = [_of(analyzer) for analyzer in ANALYZERS]
    others = [
        RunType(
            type=FINGERPRINT_GENERATION,
            display_name="Identify scenes",
            description="Look who is in every scene that was not looked at yet.",
            resource=Resource.GPU,
            default_priority=100,
            default_interval_hours=168,
            allowed_hours=INFREQUENT_HOURS,
            is_incremental=True,
        ),
        RunType(
            type=DATABASE_UPDATE,
            display_name="Update the database",
            description="Fetch and serve the newest release of performers and faces.",
            resource=Resource.LIGHT,
            default_priority=10,
            default_interval_hours=24,
            allowed_hours=FREQUENT_HOURS,
            is_incremental=False,
        ),
    ]
    return {each.type: each for each in (*analyses, *others)}


def get_run_type(name: str) -> RunType:
    """Return the type of this name; raises UnknownAnalysis."""
    known = all_run_types()
    if name not in known:
        shown = ascii(name[:40])
        raise UnknownAnalysis(f"There is no {shown}; there are {', '.join(known)}.")
    return known[name]


def get_analyzer(name: str) -> Analyzer:
    """Return the analysis of this name; raises UnknownAnalysis."""
    analyzer = get_run_type(name).analyzer
    if analyzer is None:
        raise UnknownAnalysis(f"{name} is no analysis.")
    return analyzer
