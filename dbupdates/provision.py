"""Having on this host the files of a release that another host has installed.

Rows are shared by all hosts, and folders are each host's own: one that is to serve what
it lacks gets it from where the rows say, verifies it, and only then loads it.
"""

import logging
import time
from collections.abc import Mapping
from functools import partial

from dbupdates import store
from dbupdates.download import Listeners, downloaded
from dbupdates.exceptions import ReleaseNotFound, UpdateInProgress
from dbupdates.manifest import Manifest
from dbupdates.models import DatabaseRelease
from dbupdates.progress import OnProgress, Phase, Progress
from dbupdates.services import get_release, stage_on_this_host
from dbupdates.signals import release_preparing
from stashsense import hosts

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.5


def is_missing(version: str) -> bool:
    """Return whether the release lies on other hosts only."""
    return hosts.are_many() and not store.has_release(version)


def fetch(version: str, *, on_progress: OnProgress) -> None:
    """Have the release on this disk when this returns, verified as a new one.

    `on_progress` hears several times a second and may raise to end it. What was
    fetched until then stays, for the next attempt. Raises ReleaseNotFound where no
    source is known, and what downloading and staging do.
    """
    release = get_release(version)
    _remove_what_others_purged()
    store.remove_fetches(except_of=version)
    _fetch_networks(release, on_progress)
    while is_missing(version):
        if not release.archive_url:
            raise ReleaseNotFound(
                f"The files of release {release} are not on this host, and the feed "
                "has no archive of it: import it here, too (manage.py import_release)."
            )
        try:
            with store.fetching_folder(version) as folder:
                # Another process of this host may have had it until now.
                if is_missing(version):
                    logger.info("Release %s is fetched to this host", version)
                    listeners = _listeners(release, on_progress)
                    with downloaded(release, folder, listeners=listeners) as source:
                        stage_on_this_host(
                            source, release, on_progress=on_progress, on_wait=_wait
                        )
        except UpdateInProgress:
            on_progress(Progress(Phase.DOWNLOADING, 0, 0))
            _wait()


def _fetch_networks(release: DatabaseRelease, on_progress: OnProgress) -> None:
    """Have the networks fetched that the release needs, where they are published."""

    def tell(done_bytes: int, total_bytes: int) -> None:
        on_progress(Progress(Phase.MODELS, done_bytes, total_bytes))

    release_preparing.send(
        sender=DatabaseRelease,
        network_set=release.network_set,
        network_files=release.network_files,
        on_bytes=tell,
        note=partial(_note, release),
    )


def _note(release: DatabaseRelease, text: str) -> None:
    logger.info("Release %s: %s", release, text)


def _listeners(release: DatabaseRelease, on_progress: OnProgress) -> Listeners:
    def ignore_manifest(manifest: Manifest) -> None:
        """The rows have it, and it is compared with them when it is staged."""

    def ignore_sizes(sizes: Mapping[str, int]) -> None:
        """Who loads it finds out whether there is room, as for any other."""

    def ignore_fetched(byte_count: int) -> None:
        """Only runs count them."""

    return Listeners(
        on_progress=on_progress,
        on_note=partial(_note, release),
        on_manifest=ignore_manifest,
        on_sizes=ignore_sizes,
        on_fetched=ignore_fetched,
    )


def _remove_what_others_purged() -> None:
    """Delete the files here of releases whose files were deleted on another host."""
    purged = DatabaseRelease.objects.filter(status=DatabaseRelease.Status.PURGED)
    for version in purged.values_list("version", flat=True):
        if store.has_release(version):
            with store.exclusive(on_wait=_wait):
                store.remove(version)
            logger.info("Deleted the files of release %s, which was purged", version)


def _wait() -> None:
    time.sleep(WAIT_SECONDS)
