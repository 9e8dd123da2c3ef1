"""Work that takes long: begun at the sidecar, followed to its end, stopped with us.

Only what was begun here is stopped: what went on before is followed, and left alone.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Callable

from .modes import MODES
from .refusals import Refusal, SidecarTimeout, SidecarUnreachable

if TYPE_CHECKING:
    from .sidecar import Sidecar

# Looked at often at first, as short runs are over soon.
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 3.0
# A service that starts anew, or swaps a release where memory holds only one.
_PATIENCE_SECONDS = 180.0
# How long an end is asked for, once Stash is gone.
_STOP_PATIENCE_SECONDS = 30.0
# What somebody else began may end between the refusal and the look at it.
_ATTEMPTS = 3


class Stopped(Exception):
    """Stash ended the task; what it began is being stopped."""


class Look:
    """How far a run is; `state` is "" until it has ended."""

    def __init__(
        self, share: float, state: str = "", text: str = "", error: str = ""
    ) -> None:
        self.share = share
        self.state = state
        self.text = text
        self.error = error


class Undertaking(ABC):
    """A kind of run: how it is begun, found, looked at and stopped, by its id."""

    @abstractmethod
    def begin(self, work: Work) -> Any:
        """Return the id of the run; raises Refusal, 409 where one goes on."""

    @abstractmethod
    def find(self, work: Work) -> Any:
        """Return the id of the run that goes on; None where none does."""

    @abstractmethod
    def look(self, work: Work, run_id: Any) -> Look:
        """Return how far it is."""

    @abstractmethod
    def stop(self, work: Work, run_id: Any) -> None:
        """Ask for its end, once Stash is gone; raises nothing."""


class Work:
    """What a task works with: the sidecar, and the way to tell how far it is."""

    def __init__(
        self,
        sidecar: Sidecar,
        stopping: threading.Event,
        show_progress: Callable[[float], None],
        log: Callable[[str, str], None],
    ) -> None:
        self._sidecar = sidecar
        self._stopping = stopping
        self._show_progress = show_progress
        self.log = log
        self._range = (0.0, 1.0)

    def ask(self, mode: str, **arguments: Any) -> Any:
        """Return what the mode answers; waits while the sidecar cannot be asked.

        Raises Refusal, after some minutes also what was waited for; or Stopped.
        """
        is_safe = MODES[mode].method == "GET"
        return self._patiently(
            mode, arguments, _PATIENCE_SECONDS, self._stopping, is_safe
        )

    def ask_for_end(self, mode: str, **arguments: Any) -> Any:
        """Return what is answered although Stash has ended the task; None if nothing.

        What is to be stopped may have ended, and there is nobody left to be told.
        """
        never = threading.Event()
        try:
            # Asked twice, an end is still one end.
            return self._patiently(mode, arguments, _STOP_PATIENCE_SECONDS, never, True)
        except Refusal:
            return None

    def within(self, begin: float, end: float) -> None:
        """Have what follows be this part of the progress bar."""
        self._range = (begin, end)
        self.show(0.0)

    def show(self, share: float) -> None:
        begin, end = self._range
        self._show_progress(begin + (end - begin) * min(1.0, max(0.0, share)))

    def follow(self, undertaking: Undertaking) -> Look:
        """Return how a run ended, begun here or before; raises Refusal or Stopped."""
        run_id, is_ours = self._begun(undertaking)
        pause, told = _FIRST_PAUSE_SECONDS, ""
        try:
            while True:
                look = undertaking.look(self, run_id)
                self.show(look.share)
                if look.text and look.text != told:
                    told = look.text
                    self.log("i", told)
                if look.state:
                    return look
                self._wait(pause)
                pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
        except Stopped:
            if is_ours:
                undertaking.stop(self, run_id)
            raise

    def _begun(self, undertaking: Undertaking) -> tuple[Any, bool]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return undertaking.begin(self), True
            except Refusal as refusal:
                is_unclear = _may_be_done(refusal)
                if refusal.status != 409 and not is_unclear:
                    raise
                run_id = undertaking.find(self)
                if run_id is not None:
                    # Begun by us perhaps; or by somebody else, and not ours to stop.
                    self.log("i", "This goes on already, and is followed.")
                    return run_id, False
                if is_unclear or attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _patiently(
        self,
        mode: str,
        arguments: dict[str, Any],
        patience: float,
        stopping: threading.Event,
        is_safe_twice: bool,
    ) -> Any:
        deadline = time.monotonic() + patience
        pause, is_told = _FIRST_PAUSE_SECONDS, False
        while True:
            if stopping.is_set():
                raise Stopped
            try:
                return self._sidecar.ask(MODES[mode], arguments)
            except Refusal as refusal:
                if not _passes(refusal, is_safe_twice):
                    raise
                if time.monotonic() + pause > deadline:
                    raise
                if not is_told:
                    is_told = True
                    self.log("w", f"Waiting: {refusal}")
            stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _wait(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped


def _passes(refusal: Refusal, is_safe_twice: bool) -> bool:
    """Return whether the same question may be answered in a while.

    What is not safe to do twice is not asked for again where it may have been done.
    """
    if _may_be_done(refusal):
        return is_safe_twice
    return isinstance(refusal, SidecarUnreachable) or refusal.status == 503


def _may_be_done(refusal: Refusal) -> bool:
    """Return whether what was asked for may have been done all the same."""
    return isinstance(refusal, SidecarTimeout) or refusal.status in (502, 504)
