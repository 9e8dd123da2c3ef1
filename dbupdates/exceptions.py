"""Errors about what is published, staged or installed.

DatabaseUpdateError
├── FeedError               the feed could not be read
├── DownloadError           a published file could not be fetched
├── InvalidRelease          what was fetched or given is not a usable release
│   ├── InvalidManifest
│   ├── ChecksumMismatch
│   ├── UnsafeArchive
│   └── UnloadableIndex
├── InsufficientDiskSpace
├── UpdateInProgress
├── ReleaseNotFound
└── WrongNetworks

None of them changes which release is served.
"""

from typing import ClassVar

from stashsense.exceptions import StashSenseError


class DatabaseUpdateError(StashSenseError):
    """An update step failed; the release that was active still is."""

    code: ClassVar[str] = "database_update_failed"


class FeedError(DatabaseUpdateError):
    """What is published is not known; nothing was fetched."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "feed_unavailable"


class DownloadError(DatabaseUpdateError):
    """A published file did not arrive whole; nothing of it was installed."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "download_failed"


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


class InsufficientDiskSpace(DatabaseUpdateError):
    """The file system has no room for the release; what was written is removed."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "insufficient_disk_space"


class UpdateInProgress(DatabaseUpdateError):
    """Somebody else stages or changes releases; this attempt has done nothing."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "update_in_progress"


class ReleaseNotFound(DatabaseUpdateError):
    """No release of that version is installed; nothing was changed."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "release_not_found"


class WrongNetworks(DatabaseUpdateError):
    """The release's vectors come from networks that are not installed."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "wrong_networks"
