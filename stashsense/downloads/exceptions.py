"""Errors about large files from elsewhere.

StashSenseError
├── DownloadError           a published file could not be fetched
└── InsufficientDiskSpace
"""

from typing import ClassVar

from stashsense.exceptions import StashSenseError


class DownloadError(StashSenseError):
    """A published file did not arrive whole; nothing of it was installed."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "download_failed"


class InsufficientDiskSpace(StashSenseError):
    """The file system has no room for the files; nothing of them was installed."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "insufficient_disk_space"
