"""A slice as the one who works at it sees it: its row, its time, what it waits for."""

import threading
import time
from typing import Any

from django.utils import timezone

from recognition.exceptions import LibraryRunStuck
from recognition.models import LibraryRun
from stashsense import stopping

# What a run waits for in all without getting on, before it fails.
PATIENCE_SECONDS = 600.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 15.0
_STEP_SECONDS = 0.1


class RunEnded(Exception):
    """Somebody stopped the run, or another process works at it; leave it alone."""


class ServiceStopping(Exception):
    """This process is to end; the run goes on at the next start."""


class SliceAtWork:
    """What a slice may do with its run; every method raises RunEnded once it is lost.

    `pause` and `wait_out` raise ServiceStopping as well.
    """

    def __init__(self, run: LibraryRun, seconds: float, lost: threading.Event) -> None:
        self.run = run
        self._until = time.monotonic() + seconds
        self._lost = lost
        self._wait_seconds = FIRST_WAIT_SECONDS

    def is_over(self) -> bool:
        """Return whether the next task should have its turn."""
        self.check()
        return time.monotonic() >= self._until

    def check(self) -> None:
        """Raise if the work is to end at once."""
        if self._lost.is_set():
            raise RunEnded("It was stopped, or another process works at it.")
        if stopping.is_asked():
            raise ServiceStopping("The service is stopped.")

    def pause(self, seconds: float) -> None:
        """Let so much time pass, or less where the slice is over before."""
        until = min(time.monotonic() + seconds, self._until)
        while (left := until - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, _STEP_SECONDS))
        self.check()

    def write(self, **facts: Any) -> None:
        """Write facts about the run into its row."""
        written = LibraryRun.objects.in_progress().filter(
            pk=self.run.pk, slice_number=self.run.slice_number
        )
        if not written.update(**facts, heartbeat_at=timezone.now()):
            self._lost.set()
            self.check()
        for name, value in facts.items():
            setattr(self.run, name, value)

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
