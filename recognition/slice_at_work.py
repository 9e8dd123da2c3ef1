"""A slice of a library run as the one who works at it sees it: what it waits for."""

import threading
import time
from typing import Any

from recognition.exceptions import LibraryRunStuck
from recognition.models import LibraryRun
from stashsense.slices.work import SliceAtWork

# What a run waits for in all without getting on, before it fails.
PATIENCE_SECONDS = 600.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0


class LibrarySlice(SliceAtWork[LibraryRun]):
    """What a slice may do with its run, and how it waits for what is not there."""

    def __init__(self, run: LibraryRun, seconds: float, lost: threading.Event) -> None:
        super().__init__(run, seconds, lost)
        self._wait_seconds = FIRST_WAIT_SECONDS

    def get_on(self, **facts: Any) -> None:
        """Write facts that show that the run gets on: nothing is waited for now."""
        self._wait_seconds = FIRST_WAIT_SECONDS
        self.write(**facts, waiting_for="", waited_seconds=0, death_count=0)

    def wait_out(self, reason: BaseException, *, at_least_seconds: float = 0) -> None:
        """Wait, longer each time; raises LibraryRunStuck when that was in vain."""
        run = self.run
        if run.waited_seconds >= PATIENCE_SECONDS:
            raise LibraryRunStuck(
                f"It waited {run.waited_seconds / 60:.0f} minutes and did not get on: "
                f"{reason} What is done stays done; a new run goes on from there."
            )
        seconds = min(max(self._wait_seconds, at_least_seconds), LONGEST_WAIT_SECONDS)
        self._wait_seconds *= 2
        began = time.monotonic()
        self.write(waiting_for=str(reason))
        self.pause(seconds)
        waited = time.monotonic() - began
        self.write(waited_seconds=run.waited_seconds + waited)
