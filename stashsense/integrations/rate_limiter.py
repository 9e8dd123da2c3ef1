"""How often one service is asked: a limit that threads share and that may change."""

import threading
import time
from collections import deque
from dataclasses import dataclass

# A second's worth may go at once, so that one person's click does not wait; over any
# longer time the rate holds.
_BURST_SECONDS = 1.0


@dataclass(frozen=True)
class RateLimiterFigures:
    """What a limiter has done so far, under the names of /health/rate-limiter.

    `requests_per_second` is the limit, None where there is none; the times are seconds.
    """

    total_requests: int
    total_wait_time: float
    avg_wait_time: float
    requests_per_second: float | None
    queue_depth: int


class RateLimiter:
    """Lets so many through per second, in the order they came; None: all at once."""

    def __init__(self, requests_per_second: float | None) -> None:
        self._turn = threading.Condition()
        self._waiting: deque[object] = deque()
        self._rate = _checked(requests_per_second)
        self._allowance = self._burst
        self._counted_at = time.monotonic()
        self._total_requests = 0
        self._total_wait_seconds = 0.0

    @property
    def requests_per_second(self) -> float | None:
        return self._rate

    @requests_per_second.setter
    def requests_per_second(self, rate: float | None) -> None:
        """Change the limit, for those too that wait already."""
        with self._turn:
            self._count()
            self._rate = _checked(rate)
            self._allowance = min(self._allowance, self._burst)
            self._turn.notify_all()

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        began_at = time.monotonic()
        ticket = object()
        with self._turn:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket:
                    self._turn.wait()
                while (seconds := self._seconds_to_wait()) > 0:
                    self._turn.wait(seconds)
                self._allowance -= 1
            finally:
                # Whoever leaves, with a turn or without, lets the next one look.
                self._waiting.remove(ticket)
                self._turn.notify_all()
            self._total_requests += 1
            self._total_wait_seconds += time.monotonic() - began_at

    def figures(self) -> RateLimiterFigures:
        with self._turn:
            return RateLimiterFigures(
                total_requests=self._total_requests,
                total_wait_time=round(self._total_wait_seconds, 3),
                avg_wait_time=round(
                    self._total_wait_seconds / max(self._total_requests, 1), 3
                ),
                requests_per_second=self._rate,
                queue_depth=len(self._waiting),
            )

    @property
    def _burst(self) -> float:
        return 1.0 if self._rate is None else max(self._rate * _BURST_SECONDS, 1.0)

    def _seconds_to_wait(self) -> float:
        self._count()
        if self._rate is None:
            return 0.0
        return (1 - self._allowance) / self._rate

    def _count(self) -> None:
        now = time.monotonic()
        if self._rate is None:
            self._allowance = self._burst
        else:
            gained = (now - self._counted_at) * self._rate
            self._allowance = min(self._allowance + gained, self._burst)
        self._counted_at = now


def _checked(rate: float | None) -> float | None:
    if rate is not None and not 0 < rate < float("inf"):
        raise ValueError(f"a rate must be a positive number, not {rate}")
    return rate
