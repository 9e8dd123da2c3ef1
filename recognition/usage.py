"""Whether somebody uses what is served, and since when nobody does."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Usage:
    """Counts those at work. One that looks something up counts for that moment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._last_used_at = clock()

    def touch(self) -> None:
        """Note that what is served was needed now."""
        with self._lock:
            self._last_used_at = self._clock()

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count as at work, and as having just used it when the block ends."""
        with self._lock:
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                self._last_used_at = self._clock()

    @contextmanager
    def while_idle(self, seconds: float) -> Iterator[bool]:
        """Yield whether nobody has used it for so long; nobody begins meanwhile."""
        with self._lock:
            is_idle = self._count == 0
            yield is_idle and self._clock() - self._last_used_at >= seconds
