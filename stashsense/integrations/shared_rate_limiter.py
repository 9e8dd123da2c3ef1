"""How often one service is asked by every process of this machine together.

A file holds when the next turn is, and how long everybody has to pause. Whoever wants
to ask takes the next turn and waits for it, so turns are given in the order in which
they were asked for, whichever process asks.
"""

import contextlib
import fcntl
import math
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stashsense.integrations.rate_limiter import RateLimiterFigures

CheckStop = Callable[[], None]
# How long a wait goes on before it is asked whether it is still wanted.
POLL_SECONDS = 0.5
# However long a service wants to be left alone, it is asked again after an hour.
LONGEST_PAUSE_SECONDS = 3600.0
# A turn further ahead than this was written by a clock that has been set back.
_FURTHEST_TURN_SECONDS = 600.0
_STATE = struct.Struct("<dd")


class PausedForLonger(Exception):
    """The service wants to be left alone for longer than the caller would wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"paused for another {seconds:.0f} s")
        self.seconds = seconds


@dataclass
class _State:
    """Times of the wall clock, which processes share and which survive a restart."""

    next_turn_at: float
    paused_until: float


def go_on() -> None:
    """Stop nothing: the check of those whom nobody stops."""


class SharedRateLimiter:
    """Lets so many through per minute, evenly; the file's folder is made if missing.

    Processes that share a file should have the same rate: each spaces by its own.
    """

    def __init__(self, path: Path, requests_per_minute: float) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._interval = _interval(requests_per_minute)
        self._total_requests = 0
        self._total_wait_seconds = 0.0
        self._waiting_count = 0

    @property
    def requests_per_minute(self) -> float:
        return 60 / self._interval

    @requests_per_minute.setter
    def requests_per_minute(self, rate: float) -> None:
        """Change the rate for the turns that are yet to be given."""
        self._interval = _interval(rate)

    def wait(
        self, *, check_stop: CheckStop = go_on, longest_pause_seconds: float = math.inf
    ) -> None:
        """Return when it is this caller's turn; what `check_stop` raises ends the wait.

        Raises PausedForLonger instead of waiting for the end of a long pause. A turn
        that was taken and not waited for is lost.
        """
        began_at = time.monotonic()
        with self._lock:
            self._waiting_count += 1
        try:
            while not self._waited_for_turn(check_stop, longest_pause_seconds):
                pass
        finally:
            with self._lock:
                self._waiting_count -= 1
        with self._lock:
            self._total_requests += 1
            self._total_wait_seconds += time.monotonic() - began_at

    def pause(self, seconds: float) -> None:
        """Let nobody through for so long, in any process; those who wait, wait on."""
        until = time.time() + min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)
        with self._held_state() as state:
            state.paused_until = max(state.paused_until, until)

    def pause_seconds(self) -> float:
        """Return how long nobody will be let through, 0 where there is no pause."""
        with self._held_state() as state:
            return max(state.paused_until - time.time(), 0.0)

    def figures(self) -> RateLimiterFigures:
        """Return what was done in this process."""
        with self._lock:
            return RateLimiterFigures(
                total_requests=self._total_requests,
                total_wait_time=round(self._total_wait_seconds, 3),
                avg_wait_time=round(
                    self._total_wait_seconds / max(self._total_requests, 1), 3
                ),
                requests_per_second=round(1 / self._interval, 4),
                queue_depth=self._waiting_count,
            )

    def _waited_for_turn(self, check_stop: CheckStop, longest: float) -> bool:
        """Take a turn and wait for it; False where a pause has come between."""
        check_stop()
        now = time.time()
        with self._held_state() as state:
            if state.paused_until - now > longest:
                raise PausedForLonger(state.paused_until - now)
            turn_at = max(now, state.next_turn_at, state.paused_until)
            state.next_turn_at = turn_at + self._interval
        ends_at = time.monotonic() + turn_at - now
        while (seconds := ends_at - time.monotonic()) > 0:
            time.sleep(min(seconds, POLL_SECONDS))
            check_stop()
            with self._held_state() as state:
                if state.paused_until > turn_at:
                    return False
        return True

    @contextlib.contextmanager
    def _held_state(self) -> Iterator[_State]:
        """Hold the file for this thread, and write what the block changes."""
        # A lock belongs to the opening of a file, so each use opens it for itself.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            handle = os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, flags, 0o600)
        with self._lock, os.fdopen(handle, "r+b", buffering=0) as file:
            with contextlib.suppress(OSError):
                # Some network file systems know no locks; there the rate holds within
                # a process only.
                fcntl.flock(file, fcntl.LOCK_EX)
            written = file.read(_STATE.size + 1)
            state = _read(written, time.time())
            yield state
            changed = _STATE.pack(state.next_turn_at, state.paused_until)
            if changed != written:
                file.seek(0)
                file.write(changed)
                file.truncate()


def _read(content: bytes, now: float) -> _State:
    """Return the state; what no clock of now can have written counts as nothing."""
    if len(content) != _STATE.size:
        return _State(0.0, 0.0)
    next_turn_at, paused_until = _STATE.unpack(content)
    if not paused_until <= now + LONGEST_PAUSE_SECONDS + 1:
        paused_until = 0.0
    if not next_turn_at <= max(now, paused_until) + _FURTHEST_TURN_SECONDS:
        next_turn_at = 0.0
    return _State(next_turn_at, paused_until)


def _interval(requests_per_minute: float) -> float:
    if not 0 < requests_per_minute < math.inf:
        raise ValueError(f"a rate must be a positive number, not {requests_per_minute}")
    return 60 / requests_per_minute
