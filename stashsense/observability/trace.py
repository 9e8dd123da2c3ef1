"""The request that this thread answers: its id, and where its time went.

Standard library only: whatever works for a request may say which stage it is in.
Elsewhere, such as in the background, saying so does nothing.
"""

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

# What is safe in a line of a log, a header and a shell.
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass
class RequestTrace:
    """What is known of a request: `stages` are seconds, by name."""

    request_id: str
    started_at: float = field(default_factory=time.monotonic)
    stages: dict[str, float] = field(default_factory=dict)
    failed_stage: str = ""
    failure_code: str = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started_at


_current: ContextVar[RequestTrace | None] = ContextVar("request_trace", default=None)


def current() -> RequestTrace | None:
    """Return the request that is answered here, if one is."""
    return _current.get()


def refused_with(code: str) -> None:
    """Keep for the log why the request that is answered here was refused."""
    if (trace := _current.get()) is not None:
        trace.failure_code = code


@contextmanager
def following(presented_id: str | None) -> Iterator[RequestTrace]:
    """Follow a request; an id that its sender gave it is kept where it is safe."""
    is_safe = presented_id is not None and _SAFE_ID.fullmatch(presented_id)
    request_id = presented_id if is_safe and presented_id else secrets.token_hex(8)
    trace = RequestTrace(request_id)
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Add the time spent inside to a stage; what fails inside failed in it."""
    trace = _current.get()
    if trace is None:
        yield
        return
    started_at = time.monotonic()
    try:
        yield
    except BaseException:
        # The innermost: it is left first.
        trace.failed_stage = trace.failed_stage or name
        raise
    finally:
        spent = time.monotonic() - started_at
        trace.stages[name] = trace.stages.get(name, 0.0) + spent


def add_stages(seconds: Mapping[str, float]) -> None:
    """Add time that threads of their own spent on this request, seen only by them."""
    if (trace := _current.get()) is not None:
        for name, spent in seconds.items():
            trace.stages[name] = trace.stages.get(name, 0.0) + spent
