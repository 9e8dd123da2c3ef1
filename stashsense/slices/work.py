"""A slice as the one who works at it sees it: its row, its time, and when to end."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from django.db import OperationalError
from django.utils import timezone

from stashsense import stopping
from stashsense.exceptions import StashSenseError
from stashsense.slices.models import SlicedRun

logger = logging.getLogger(__name__)

Run = TypeVar("Run", bound=SlicedRun)

_STEP_SECONDS = 0.1


class RunEnded(Exception):
    """Somebody stopped the run, or another process works at it; leave it alone."""


class ServiceStopping(Exception):
    """This process is to end; the run goes on at the next start."""


class SliceAtWork(Generic[Run]):
    """What a slice may do with its run; every method raises RunEnded once it is lost.

    `check`, and what calls it, raises ServiceStopping as well.
    """

    def __init__(self, run: Run, seconds: float, lost: threading.Event) -> None:
        self.run = run
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._lost = lost

    def begin(self) -> None:
        """Have the slice's time begin now: what came before was to get ready."""
        self._until = time.monotonic() + self._seconds

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
        if not self.run.own_rows.update(**facts, heartbeat_at=timezone.now()):
            self._lost.set()
            self.check()
        for name, value in facts.items():
            setattr(self.run, name, value)


@contextmanager
def failures_written(
    run: SlicedRun, fail: Callable[[BaseException | str], object]
) -> Iterator[None]:
    """Have `fail` write what ends the run inside; only what nobody foresaw is raised.

    A run that was stopped is left as it is, and one of a stopped service goes on at the
    next start.
    """
    try:
        yield
    except (RunEnded, ServiceStopping) as reason:
        logger.info("%s: %s", run, reason)
    except StashSenseError as error:
        fail(error)
    except OperationalError:
        # Locked or gone for a moment: whoever looks after dead runs goes on with it.
        raise
    except BaseException as error:
        logger.exception("%s failed", run)
        fail(f"{type(error).__name__}; the log says more.")
        raise
