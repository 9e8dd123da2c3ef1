"""Spacing of requests, so that whoever is asked is not flooded."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class RateStatistics:
    """What a limiter has done so far; `waiting` is how many wait at this moment."""

    requests: int
    waited_seconds: float
    waiting: int


class RateLimiter:
    """Lets callers through one after another, evenly, at most so many a second.

    `rate` is asked for each of them, so that a changed setting counts at once; those
    that wait already keep their moment.
    """

    def __init__(
        self,
        rate: Callable[[], float],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_at = clock()
        self._statistics = RateStatistics(0, 0.0, 0)

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        spacing = 1 / self._rate()
        with self._lock:
            now = self._clock()
            turn_at = max(now, self._next_at)
            self._next_at = turn_at + spacing
            pause = turn_at - now
            self._count(requests=1, waited=pause, waiting=1)
        try:
            if pause > 0:
                self._sleep(pause)
        finally:
            with self._lock:
                self._count(waiting=-1)

    def statistics(self) -> RateStatistics:
        """Return what was done so far."""
        return self._statistics

    def _count(
        self, *, requests: int = 0, waited: float = 0.0, waiting: int = 0
    ) -> None:
        so_far = self._statistics
        self._statistics = RateStatistics(
            so_far.requests + requests,
            so_far.waited_seconds + waited,
            so_far.waiting + waiting,
        )
