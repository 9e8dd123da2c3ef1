"""Errors about what is published, staged or installed.

DatabaseUpdateError
├── FeedError               the feed could not be read
├── InvalidRelease          what was fetched or given is not a usable release
│   ├── InvalidManifest
│   ├── ChecksumMismatch
│   ├── UnsafeArchive
│   └── UnloadableIndex
├── InsufficientMemory
├── UpdateInProgress
├── UpdateRefused           there is nothing to do, or not now
│   ├── AlreadyLatest
│   ├── NothingToDownload
│   └── TooLateToCancel
├── UpdateStopped           somebody asked for the end
│   ├── UpdateCancelled
│   └── UpdateInterrupted
├── SwapFailed              a process cannot serve the release
├── ReleaseNotFound
├── RunNotFound
└── WrongNetworks

None of them changes which release is served. An update also raises what fetching
does: stashsense.downloads.exceptions.
"""

from datetime import datetime
from typing import ClassVar

from stashsense.exceptions import StashSenseError


class DatabaseUpdateError(StashSenseError):
    """An update step failed; the release that was active still is."""

    code: ClassVar[str] = "database_update_failed"


class FeedError(DatabaseUpdateError):
    """What is published is not known; nothing was fetched.

    `closed_until` is when the feed wants to be asked again, where it said so.
    """

    status: ClassVar[int] = 503
    code: ClassVar[str] = "feed_unavailable"

    def __init__(self, message: str, *, closed_until: datetime | None = None) -> None:
        super().__init__(message)
        self.closed_until = closed_until


class InvalidRelease(DatabaseUpdateError):
    """The files are no usable release; they were removed from staging."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "invalid_release"


class InvalidManifest(InvalidRelease):
    """manifest.json is missing, malformed, contradictory or of an unknown kind."""

    code: ClassVar[str] = "invalid_manifest"


class ChecksumMismatch(InvalidRelease):
    """A release file's bytes are not those the manifest names."""

    code: ClassVar[str] = "checksum_mismatch"


class UnsafeArchive(InvalidRelease):
    """The archive or folder cannot be read safely; nothing lies outside staging."""

    code: ClassVar[str] = "unsafe_archive"


class UnloadableIndex(InvalidRelease):
    """A vector index failed its trial load, in a process of its own."""

    code: ClassVar[str] = "unloadable_index"


class InsufficientMemory(DatabaseUpdateError):
    """Serving processes could not hold the release; nothing was fetched."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "insufficient_memory"


class UpdateInProgress(DatabaseUpdateError):
    """Somebody else stages or changes releases; this attempt has done nothing."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "update_in_progress"


class UpdateRefused(DatabaseUpdateError):
    """What was asked for makes no sense at this moment; nothing was begun."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "update_refused"


class AlreadyLatest(UpdateRefused):
    """The release that is active is the newest there is."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "already_latest"


class NothingToDownload(UpdateRefused):
    """The feed has no archive of that release, or does not know it."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "nothing_to_download"


class TooLateToCancel(UpdateRefused):
    """The run has ended, or its release is being swapped in; it goes on."""

    code: ClassVar[str] = "too_late_to_cancel"


class UpdateStopped(DatabaseUpdateError):
    """Somebody asked for the end of a run, and it ended; see the subclasses."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "update_stopped"


class UpdateCancelled(UpdateStopped):
    """A person cancelled the run; nothing of it is left in staging."""

    code: ClassVar[str] = "update_cancelled"


class UpdateInterrupted(UpdateStopped):
    """The service stopped; what was downloaded is kept for the next attempt."""

    code: ClassVar[str] = "update_interrupted"


class SwapFailed(DatabaseUpdateError):
    """A serving process cannot load the release; the former one is active again."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "swap_failed"


class ReleaseNotFound(DatabaseUpdateError):
    """No release of that version is installed; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "release_not_found"


class RunNotFound(DatabaseUpdateError):
    """There is no such run; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "run_not_found"


class WrongNetworks(DatabaseUpdateError):
    """The release's vectors come from networks that are not installed."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "wrong_networks"
