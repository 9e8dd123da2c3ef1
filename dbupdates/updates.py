"""What people and programs ask for: updates, activations, imports, and their end.

Each asks the background for a run and returns its row; `run_here` works at one in
this process, for commands.
"""

from pathlib import Path

from dbupdates import runs
from dbupdates.exceptions import (
    AlreadyLatest,
    FeedError,
    NothingToDownload,
    ReleaseNotFound,
)
from dbupdates.execution import execute_run
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import OnProgress
from dbupdates.published import check_feed
from dbupdates.runs import Asker
from dbupdates.services import get_release, is_here

Kind = UpdateRun.Kind


def find_update(version: str = "") -> DatabaseRelease:
    """Return the release to update to: that one, or the newest published.

    Also the active one, if its files are gone. Raises AlreadyLatest,
    NothingToDownload, ReleaseNotFound, or FeedError when what is published is not
    known.
    """
    release = _find_release(version) if version else _find_latest()
    if release.is_active and is_here(release):
        raise AlreadyLatest(f"Release {release} is active already.")
    if not (is_here(release) or release.archive_url):
        if release.is_installed:
            raise NothingToDownload(
                f"The files of release {release} are gone, and the feed has no archive "
                "of it."
            )
        raise NothingToDownload(f"Release {release} is published without an archive.")
    return release


def request_update(*, asker: Asker, version: str = "") -> UpdateRun:
    """Ask for a release to be downloaded, if need be, and activated.

    Raises what `find_update` does, or UpdateInProgress.
    """
    release = find_update(version)
    return runs.queue_run(_kind_for(release), asker=asker, version=release.version)


def request_published(*, asker: Asker) -> UpdateRun:
    """Ask for the newest published release, whatever is served now, with its networks.

    Unlike `request_update` it does not compare versions: a release of one's own, such
    as the demo world's, may have a later one. Raises what `find_update` does, or
    UpdateInProgress.
    """
    latest = _find_published()
    return request_update(asker=asker, version=latest.version)


def request_activation(release: DatabaseRelease, *, asker: Asker) -> UpdateRun:
    """Ask for an installed release to be served, newer or older.

    Raises AlreadyLatest for the active one, ReleaseNotFound for one without files, or
    UpdateInProgress.
    """
    if release.is_active:
        raise AlreadyLatest(f"Release {release} is active already.")
    if not release.is_installed:
        raise ReleaseNotFound(f"Release {release} is {release.status}, not installed.")
    return runs.queue_run(Kind.ACTIVATION, asker=asker, version=release.version)


def request_import(path: Path, *, asker: Asker, is_activating: bool) -> UpdateRun:
    """Ask for the zip or folder on this machine to be installed; UpdateInProgress."""
    return runs.queue_run(
        Kind.IMPORT, asker=asker, source_path=str(path), is_activating=is_activating
    )


def run_here(
    kind: UpdateRun.Kind,
    *,
    asker: Asker,
    listener: OnProgress,
    version: str = "",
    source_path: str = "",
    is_activating: bool = True,
) -> UpdateRun:
    """Work at a run in this process and return its row once it has ended."""
    run = runs.create_run(
        kind,
        asker=asker,
        version=version,
        source_path=source_path,
        is_activating=is_activating,
    )
    execute_run(run.pk, listener=listener)
    run.refresh_from_db()
    return run


def _kind_for(release: DatabaseRelease) -> UpdateRun.Kind:
    return Kind.ACTIVATION if is_here(release) else Kind.DOWNLOAD


def _find_latest() -> DatabaseRelease:
    latest, active = _find_published(), DatabaseRelease.objects.active()
    # One whose files are gone is got again.
    is_damaged = latest.is_active and not is_here(latest)
    is_newer = active is None or latest.version_key > active.version_key
    if not (is_newer or is_damaged):
        raise AlreadyLatest(
            f"Release {active} is active; the newest published is {latest}."
        )
    return latest


def _find_published() -> DatabaseRelease:
    status = check_feed()
    if status.latest is None:
        if status.error:
            raise FeedError(status.error)
        raise NothingToDownload("The feed lists no release.")
    return status.latest


def _find_release(version: str) -> DatabaseRelease:
    try:
        return get_release(version)
    except ReleaseNotFound:
        # Perhaps published since the feed was asked last.
        status = check_feed(is_forced=True)
        if status.error:
            raise FeedError(status.error) from None
        return get_release(version)
