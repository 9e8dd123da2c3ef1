"""What can go wrong with Stash: an error for each decision a caller can make."""

from typing import ClassVar

from stashsense.exceptions import StashSenseError


class StashError(StashSenseError):
    """Stash answered with an error, or with what no Stash answers.

    What was asked for was not given; of a change that was asked for it is not known
    whether Stash made it.
    """

    status: ClassVar[int] = 502
    code: ClassVar[str] = "stash_error"


class StashNotConfigured(StashError):
    """The settings name no Stash that could be asked; nothing was sent."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "stash_not_configured"


class InvalidStashId(StashError):
    """An id is not the positive number that Stash's ids are; nothing was sent."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid_stash_id"


class StashUnreachable(StashError):
    """No answer of Stash arrived, after repeating what may be repeated."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "stash_unreachable"


class StashUnauthorized(StashError):
    """Stash refused us: STASH_API_KEY is wrong or missing, and no repeating helps."""

    code: ClassVar[str] = "stash_unauthorized"


class StashTooOld(StashError):
    """Stash is of a version that lacks what we need; nothing else was asked of it."""

    code: ClassVar[str] = "stash_too_old"


class StashNotFound(StashError):
    """Stash answered that it has no such thing."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "stash_not_found"


class StashNameTaken(StashError):
    """Another performer, tag or studio has the name already; nothing was changed."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "stash_name_taken"


class StashMediaTooLarge(StashError):
    """A file that Stash serves is larger than we take; nothing of it is kept."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "stash_media_too_large"
