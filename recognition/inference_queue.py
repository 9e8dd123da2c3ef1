"""Who may use the networks now, who waits, and who is sent away."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recognition.exceptions import Busy, IdentificationStopped
from stashsense.observability import metrics, trace

# How soon who waits notices that it need not any more.
POLL_SECONDS = 0.25


class InferenceQueue:
    """A few slots and a bounded number of threads that wait for one."""

    def __init__(self, *, slots: int, waiting: int, what: str = "pictures") -> None:
        self._what = what
        self._slots = threading.Semaphore(slots)
        self._capacity = slots + waiting
        self._inside = 0
        self._lock = threading.Lock()

    @property
    def inside(self) -> int:
        """How many hold a slot or wait for one."""
        return self._inside

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot, after waiting for one; raises Busy when too many wait."""
        with self._lock:
            if self._inside >= self._capacity:
                raise Busy(
                    f"{self._capacity} {self._what} are being identified or wait for"
                    " it; try again in a moment."
                )
            self._inside += 1
            metrics.IDENTIFYING.labels(self._what).inc()
        try:
            with trace.stage("wait"):
                self._slots.acquire()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            metrics.IDENTIFYING.labels(self._what).dec()
            with self._lock:
                self._inside -= 1

    @contextmanager
    def turn(self, *, give_up: Callable[[], bool] | None = None) -> Iterator[None]:
        """Hold a slot for one step of longer work, after those that wait already.

        Nobody is sent away for it: whoever takes turns was let in somewhere else.
        Raises IdentificationStopped once `give_up` says so, without having waited more.
        """
        while not self._slots.acquire(
            timeout=None if give_up is None else POLL_SECONDS
        ):
            if give_up is not None and give_up():
                raise IdentificationStopped("It was stopped before its turn came.")
        try:
            yield
        finally:
            self._slots.release()
