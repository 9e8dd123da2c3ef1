"""How long the stages of some work take, the ones within others counted once."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

Watcher = Callable[[str], None]


def watch_nothing(_stage: str) -> None:
    """Let stages begin unseen."""


class StageClock:
    """Adds up the seconds of stages in one thread.

    A stage within another takes its time away from that one. `on_begin` is told the
    name of each that begins.
    """

    def __init__(self, *, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._since = now()
        self._running: list[str] = []
        self.on_begin: Watcher = watch_nothing
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.counts: defaultdict[str, int] = defaultdict(int)

    def restart(self) -> None:
        """Forget what was counted; no stage may be running."""
        self.seconds.clear()
        self.counts.clear()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block as a stage."""
        self._charge()
        self._running.append(name)
        self.counts[name] += 1
        self.on_begin(name)
        try:
            yield
        finally:
            self._charge()
            self._running.pop()

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, every call of which is a stage."""

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        return call

    def timed_items(
        self, name: str, function: Callable[..., Iterator[Any]]
    ) -> Callable[..., Iterator[Any]]:
        """Return the function, the waiting for every item of which is a stage."""

        @wraps(function)
        def iterate(*args: Any, **kwargs: Any) -> Iterator[Any]:
            items = function(*args, **kwargs)
            end = object()
            while True:
                with self.stage(name):
                    item = next(items, end)
                if item is end:
                    return
                yield item

        return iterate

    def _charge(self) -> None:
        """Count the time since the last change for the innermost stage."""
        now = self._now()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now
