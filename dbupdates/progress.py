"""How far a long step has come. Whoever starts the step decides who is told."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where an update is: waiting, at one of its steps, or how it ended."""

    QUEUED = "queued"
    MODELS = "models"
    DOWNLOADING = "downloading"
    EXTRACTING = "extracting"
    VERIFYING = "verifying"
    SWAPPING = "swapping"
    RELOADING = "reloading"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


# Until the release is swapped in, an update can be cancelled without a trace.
BEFORE_SWAP = (
    Phase.MODELS,
    Phase.DOWNLOADING,
    Phase.EXTRACTING,
    Phase.VERIFYING,
)
CANCELLABLE = (Phase.QUEUED, *BEFORE_SWAP)
# From here on the run has to be brought to an end, whoever dies of it.
SWAP = (Phase.SWAPPING, Phase.RELOADING)
IN_PROGRESS = (*CANCELLABLE, *SWAP)


@dataclass(frozen=True)
class Progress:
    """What is done of one phase; `total_bytes` is 0 where it has no size."""

    phase: Phase
    done_bytes: int
    total_bytes: int


# Called at least twice a second; what it raises stops the step, which cleans up.
OnProgress = Callable[[Progress], None]


def ignore_progress(_progress: Progress, /) -> None:
    """Tell nobody."""


class ByteCounter:
    """Adds bytes up and tells how far a phase has come."""

    def __init__(
        self, phase: Phase, *, total_bytes: int, on_progress: OnProgress
    ) -> None:
        self._phase = phase
        self._total_bytes = total_bytes
        self._on_progress = on_progress
        self._done_bytes = 0
        self.advance_to(0)

    def add(self, byte_count: int) -> None:
        """Count bytes that have been done since the last call."""
        self.advance_to(self._done_bytes + byte_count)

    def advance_to(self, done_bytes: int) -> None:
        """Tell that so many bytes are done in all."""
        self._done_bytes = done_bytes
        self._on_progress(Progress(self._phase, done_bytes, self._total_bytes))
