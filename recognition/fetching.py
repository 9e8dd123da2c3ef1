"""How a process gets the files of a release that only other hosts have."""

from collections.abc import Callable

from dbupdates import provision
from dbupdates.progress import Progress
from dbupdates.store import ActiveRelease
from recognition.exceptions import IdentificationStopped


class Fetching:
    """`percent` is how much of the release is here, None while nothing is fetched."""

    def __init__(self, is_stopping: Callable[[], bool]) -> None:
        self.percent: int | None = None
        self._is_stopping = is_stopping

    def is_needed(self, release: ActiveRelease) -> bool:
        """Return whether the release cannot be loaded before it is fetched."""
        if provision.is_missing(release.version):
            self.percent = 0
            return True
        return False

    def fetch(self, release: ActiveRelease) -> None:
        """Have the release on this host; raises what `provision.fetch` does."""
        try:
            provision.fetch(release.version, on_progress=self._see)
        finally:
            self.percent = None

    def _see(self, progress: Progress) -> None:
        if self._is_stopping():
            raise IdentificationStopped("The service is stopped.")
        share = progress.done_bytes / max(progress.total_bytes, 1)
        self.percent = int(100 * min(share, 1))
