"""What every analysis is: a generator of steps, each with what it found.

An analysis knows neither rows of runs nor threads. It yields often; between two steps
what it found is stored, and it may be closed there and be begun again from the last
cursor that it yielded, in another process.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from recommendations.models import Recommendation
from stashsense.integrations.stash import StashClient

# What the predecessor offers of hours between two runs.
FREQUENT_HOURS = (6, 12, 24, 48, 72, 168, 336)
INFREQUENT_HOURS = (24, 48, 72, 168, 336, 720)
NORMAL_PRIORITY = 50

# To sweep what is about any stash-box, and about none.
EVERYWHERE = None


class Resource(StrEnum):
    """What a run is bound by; runs of one resource are limited in number."""

    GPU = "gpu"
    NETWORK = "network"
    LIGHT = "light"


@dataclass(frozen=True)
class Target:
    """What a recommendation is about; `endpoint` where it is about one stash-box."""

    target_type: str
    target_id: str
    endpoint: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something to be tidied.

    `cause` is a short text that differs when the reason does: a finding that somebody
    resolved or dismissed comes back with another cause alone. See `cause_of`.
    """

    target: Target
    details: Mapping[str, Any]
    cause: str
    confidence: float | None = 1.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """What was done since the last step, stored together or not at all.

    cursor: where an analysis goes on that is closed after this step, any JSON; None
        where it cannot be closed here. An empty one has a retry begin anew.
    cleared: what was looked at and is in order; pending ones are resolved.
    sweeps: endpoints of which everything was looked at in this pass, or EVERYWHERE;
        pending ones that were not found in it are resolved.
    write: writes more rows in the same transaction.
    """

    findings: Sequence[Finding] = ()
    cleared: Sequence[Target] = ()
    sweeps: Sequence[str | None] = ()
    cursor: Mapping[str, Any] | None = None
    done_count: int | None = None
    total_count: int | None = None
    note: str | None = None
    write: Callable[[], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Work:
    """What an analysis works with.

    check: raises when the work is to end; called at least once a second.
    cursor: of the step that it goes on after; empty at the beginning.
    began_at: when the pass began, of which this may be a later slice.
    """

    stash: StashClient
    is_full: bool
    began_at: datetime
    cursor: Mapping[str, Any] = field(default_factory=dict)
    check: Callable[[], None] = lambda: None


# A generator, which is closed where a slice ends.
Steps = Generator[Step, None, None]


class Analyzer(ABC):
    """One kind of analysis; `type` names it and what it recommends.

    reopens_when_changed: what was dismissed, but not for good, is proposed again with
    another cause. Otherwise a dismissal is for good.
    """

    type: ClassVar[str]
    display_name: ClassVar[str]
    description: ClassVar[str]
    resource: ClassVar[Resource] = Resource.LIGHT
    default_interval_hours: ClassVar[float] = 168
    allowed_hours: ClassVar[tuple[int, ...]] = INFREQUENT_HOURS
    is_incremental: ClassVar[bool] = False
    reopens_when_changed: ClassVar[bool] = False

    @abstractmethod
    def analyze(self, work: Work) -> Steps:
        """Yield what is found, from the cursor on."""

    def decided(self, row: Recommendation) -> None:  # noqa: B027
        """Remember what somebody decided; called after the row was written."""
