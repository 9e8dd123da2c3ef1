"""What can go wrong with a stash-box: an error for each decision a caller can make."""

from typing import ClassVar

from stashsense.exceptions import StashSenseError


class StashBoxError(StashSenseError):
    """A stash-box answered with an error, or with what no stash-box answers.

    What was asked for was not given. The message names the box and its reason.
    """

    status: ClassVar[int] = 502
    code: ClassVar[str] = "stashbox_error"


class UnknownStashBox(StashBoxError):
    """Stash has no such stash-box, or no key for it; nothing was sent."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "unknown_stashbox"


class StashBoxUnauthorized(StashBoxError):
    """A stash-box refused the key that Stash has for it; no repeating helps."""

    code: ClassVar[str] = "stashbox_unauthorized"


class StashBoxUnreachable(StashBoxError):
    """No answer of a stash-box arrived, after asking as often as makes sense."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "stashbox_unreachable"


class StashBoxBusy(StashBoxError):
    """A stash-box wants to be left alone for longer than anybody should wait here.

    Until `retry_after_seconds` are over, no process of this machine asks it.
    """

    status: ClassVar[int] = 503
    code: ClassVar[str] = "stashbox_busy"

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StashBoxNotFound(StashBoxError):
    """A stash-box answered that it has no such thing, nor ever had."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "stashbox_not_found"
