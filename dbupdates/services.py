"""What can be done with releases: stage, import, activate, verify.

Everything that can fail happens while staging; activating flips a row.
"""

import errno
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from dbupdates import store
from dbupdates.archive import ReleaseSource, open_source
from dbupdates.exceptions import (
    ChecksumMismatch,
    InvalidRelease,
    ReleaseNotFound,
    UpdateInProgress,
)
from dbupdates.manifest import MANIFEST_NAME, PREPARED_NAME, Manifest, parse_manifest
from dbupdates.models import (
    DatabaseRelease,
    ReleaseFile,
    UpdateRun,
    UpdateRunQuerySet,
)
from dbupdates.prepared import FACES_NAME, PERFORMERS_NAME
from dbupdates.progress import ByteCounter, OnProgress, Phase, ignore_progress
from dbupdates.signals import release_activated, release_activating
from dbupdates.trial_load import load_on_trial
from dbupdates.versions import parse_version
from stashsense import hosts
from stashsense.downloads.exceptions import InsufficientDiskSpace
from stashsense.files import sha256_of
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

Status = DatabaseRelease.Status

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class FileProblem:
    """A file of an installed release that is not what was installed."""

    name: str
    explanation: str


def get_release(version: str) -> DatabaseRelease:
    """Return the release, however its version is spelled; or raise ReleaseNotFound."""
    try:
        return DatabaseRelease.objects.get(version=str(parse_version(version)))
    except (ValueError, DatabaseRelease.DoesNotExist) as exc:
        raise ReleaseNotFound(f"There is no release {version[:80]}.") from exc


def is_here(release: DatabaseRelease) -> bool:
    """Return whether the release is installed and its files have not gone since."""
    return release.is_installed and store.has_release(release.version)


def import_release(
    path: Path, *, on_progress: OnProgress = ignore_progress
) -> DatabaseRelease:
    """Stage the release in a zip or folder and return it; see `stage_release`."""
    with open_source(path) as source:
        return stage_release(source, on_progress=on_progress)


def stage_release(
    source: ReleaseSource,
    *,
    expected_version: str = "",
    on_progress: OnProgress = ignore_progress,
    on_wait: Callable[[], None] | None = None,
) -> DatabaseRelease:
    """Verify a release, put it on disk and return its row, ready to be activated.

    While another stages or deletes, UpdateInProgress is raised, or `on_wait` called
    again and again: it pauses, or ends the waiting by raising.

    A release that is installed already, with the same content, is returned as it is.
    Whatever is refused, by a subclass of DatabaseUpdateError, has changed nothing;
    also a release of another version than expected, where one is.

    1. The manifest is read and the names are compared with it.
    2. The files are copied into staging, hashed while written.
    3. A subprocess loads them, compares their counts, writes the prepared form.
    4. One transaction writes the rows and renames the folder into its place. A crash
       between rename and commit leaves a folder without a row, which the next import
       of that version replaces.
    """
    manifest_bytes = source.read_manifest()
    manifest = parse_manifest(manifest_bytes)
    if expected_version and manifest.version != expected_version:
        raise InvalidRelease(
            f"{MANIFEST_NAME} is of version {manifest.version}, where "
            f"{expected_version} was announced"
        )
    _require_listed_files(source, manifest)
    digests = {
        **manifest.checksums,
        MANIFEST_NAME: hashlib.sha256(manifest_bytes).hexdigest(),
    }
    with store.exclusive(on_wait=on_wait), _disk_full_as_ours():
        _remove_orphans()
        installed = _find_installed(manifest.version, digests)
        if installed is not None:
            return installed
        store.require_free_space(_needed_bytes(source))
        with store.staging_folder() as release_dir:
            _copy_files(source, digests, release_dir, on_progress=on_progress)
            _load_on_trial(source, manifest, release_dir, on_progress=on_progress)
            release = _install(manifest, release_dir)
    logger.info("Staged release %s", release.version)
    return release


def stage_on_this_host(
    source: ReleaseSource,
    release: DatabaseRelease,
    *,
    on_progress: OnProgress = ignore_progress,
    on_wait: Callable[[], None],
) -> None:
    """Put the files of a release that another host has installed on this disk.

    They are verified as if they were new, and to be the very ones of the rows, which
    stay as they are. Raises what `stage_release` does.
    """
    manifest_bytes = source.read_manifest()
    manifest = parse_manifest(manifest_bytes)
    if manifest.version != release.version:
        raise InvalidRelease(f"{MANIFEST_NAME} is of version {manifest.version}")
    _require_listed_files(source, manifest)
    digests = {
        **manifest.checksums,
        MANIFEST_NAME: hashlib.sha256(manifest_bytes).hexdigest(),
    }
    _require_same_content(release, digests)
    with store.exclusive(on_wait=on_wait), _disk_full_as_ours():
        _remove_orphans()
        if store.has_release(release.version):
            return
        store.require_free_space(_needed_bytes(source))
        with store.staging_folder() as release_dir:
            _copy_files(source, digests, release_dir, on_progress=on_progress)
            _load_on_trial(source, manifest, release_dir, on_progress=on_progress)
            store.complete(release_dir)
            store.install(release_dir, release.version)
    logger.info("The files of release %s are on this host", release.version)


def _remove_orphans() -> None:
    for orphan, error in store.remove_orphans():
        outcome = error or "removed"
        logger.warning("staging/%s, left by an import that died: %s", orphan, outcome)


def activate_release(release: DatabaseRelease) -> DatabaseRelease:
    """Make the release the one that is served and return its new row.

    Activating the active one does nothing. Receivers of `release_activating` refuse by
    raising; then, and when the release is not installed, nothing is changed.
    """
    release = DatabaseRelease.objects.get(pk=release.pk)
    if release.is_active:
        return release
    _require_installed(release)
    description = store.describe(release)
    release_activating.send(sender=DatabaseRelease, release=description)
    with in_turn():
        now = timezone.now()
        # Retire first: the partial unique index allows one ACTIVE row at any moment.
        DatabaseRelease.objects.filter(status=Status.ACTIVE).exclude(
            pk=release.pk
        ).update(status=Status.RETIRED, retired_at=now)
        changed_count = (
            DatabaseRelease.objects.activatable()
            .filter(pk=release.pk)
            .update(status=Status.ACTIVE, activated_at=now, retired_at=None)
        )
        release.refresh_from_db()
        if not release.is_active:
            raise UpdateInProgress(f"{release} became {release.status} meanwhile.")
        if changed_count:
            # Robust: the release is active by then, whatever a receiver makes of it.
            transaction.on_commit(
                partial(
                    release_activated.send_robust,
                    sender=DatabaseRelease,
                    release=description,
                )
            )
    logger.info("Activated release %s", release.version)
    return release


def deactivate_release(release: DatabaseRelease) -> None:
    """Serve nothing, for a release that cannot be served and replaced nothing."""
    DatabaseRelease.objects.filter(pk=release.pk, status=Status.ACTIVE).update(
        status=Status.STAGED, activated_at=None
    )


def purge_release(
    release: DatabaseRelease, *, within_run: UpdateRun | None = None
) -> None:
    """Delete the files of an installed release and keep its row.

    Raises UpdateInProgress for the active one, for those that another run in progress
    activates or may go back to, or while another stages. A crash between row and files
    leaves a folder without a row, which `reconcile` deletes.
    """
    with store.exclusive():
        # The write lock first: a run names what it goes back to before it flips.
        with in_turn():
            _refuse_needed(release, within_run)
            purged = (
                DatabaseRelease.objects.activatable()
                .filter(pk=release.pk)
                .update(status=Status.PURGED, size_bytes=0)
            )
            release.refresh_from_db()
            if not purged:
                if release.is_active:
                    raise UpdateInProgress(
                        f"Release {release} is the active one: activate another first."
                    )
                raise ReleaseNotFound(
                    f"Release {release} is {release.status}: no files."
                )
            release.files.all().delete()
        if store.has_release(release.version):
            store.remove(release.version)
    logger.info("Deleted the files of release %s", release.version)


def reject_release(version: str, reason: str) -> None:
    """Remember why a published release was refused, until another one replaces it."""
    DatabaseRelease.objects.filter(
        version=version,
        status__in=(Status.AVAILABLE, Status.PURGED, Status.REJECTED),
    ).update(status=Status.REJECTED, reason=reason)


def purge_old_releases(
    *, kept_count: int, within_run: UpdateRun | None = None
) -> list[DatabaseRelease]:
    """Delete the files of releases that were served once, but for the latest of them.

    What was installed and never served stays: somebody wants it for later. So does
    what another run in progress needs.
    """
    served = DatabaseRelease.objects.filter(status=Status.RETIRED)
    doomed = [
        release
        for release in served.order_by("-retired_at")[kept_count:]
        if not _runs_that_need(release, within_run).exists()
    ]
    for release in doomed:
        purge_release(release, within_run=within_run)
    return doomed


def verify_release(
    release: DatabaseRelease, *, on_progress: OnProgress = ignore_progress
) -> list[FileProblem]:
    """Read every file of an installed release; return those that have changed."""
    _require_installed(release)
    counter = ByteCounter(
        Phase.VERIFYING, total_bytes=release.size_bytes, on_progress=on_progress
    )
    paths = dict(store.iter_file_paths(release.version))
    problems = []
    for file in release.files.all():
        path = paths.pop(file.name, None)
        if path is None:
            problems.append(FileProblem(file.name, "is missing"))
        elif (actual := sha256_of(path, on_bytes=counter.add)) != file.sha256:
            problems.append(
                FileProblem(file.name, f"expected sha256 {file.sha256}, got {actual}")
            )
    problems += [FileProblem(name, "does not belong there") for name in paths]
    return problems


def _runs_that_need(
    release: DatabaseRelease, within_run: UpdateRun | None
) -> UpdateRunQuerySet:
    """Return the runs in progress, but for that one, that need the release's files."""
    version = release.version
    needing = UpdateRun.objects.in_progress().filter(
        Q(version=version) | Q(former_version=version)
    )
    return needing.exclude(pk=within_run.pk) if within_run else needing


def _refuse_needed(release: DatabaseRelease, within_run: UpdateRun | None) -> None:
    run = _runs_that_need(release, within_run).first()
    if run is not None:
        raise UpdateInProgress(f"Release {release} is needed by a run: {run}.")


def _require_listed_files(source: ReleaseSource, manifest: Manifest) -> None:
    present = set(source.sizes) - {MANIFEST_NAME}
    if missing := sorted(manifest.checksums.keys() - present):
        raise InvalidRelease(f"{MANIFEST_NAME} lists {', '.join(missing)}, not there")
    if unlisted := sorted(present - manifest.checksums.keys()):
        raise InvalidRelease(f"{MANIFEST_NAME} does not list {', '.join(unlisted)}")


def _require_installed(release: DatabaseRelease) -> None:
    if not release.is_installed:
        raise ReleaseNotFound(
            f"Release {release} is {release.status}, not installed; import it first."
        )
    # Of several hosts each gets them when it is to serve them, or says why it cannot.
    if not hosts.are_many() and not store.has_release(release.version):
        raise ReleaseNotFound(
            f"The files of release {release} are gone from "
            f"{store.release_path(release.version)}; import it again."
        )


def _find_installed(version: str, digests: Mapping[str, str]) -> DatabaseRelease | None:
    """Return the installed release if it has this content and its files are there.

    Raises InvalidRelease for other content: what a version means never changes.
    """
    release = DatabaseRelease.objects.installed().filter(version=version).first()
    if release is None:
        return None
    files = _require_same_content(release, digests)
    sizes = {file.name: file.size_bytes for file in files.values()}
    return release if store.has_files(version, sizes) else None


def _require_same_content(
    release: DatabaseRelease, digests: Mapping[str, str]
) -> dict[str, ReleaseFile]:
    """Return the rows of the files; InvalidRelease if these are others."""
    files = {file.name: file for file in release.files.all()}
    for name, digest in digests.items():
        if name not in files or files[name].sha256 != digest:
            raise InvalidRelease(
                f"release {release} is installed with another {name}; "
                "a changed release needs a version of its own"
            )
    published = {name for name in files if not name.startswith(f"{PREPARED_NAME}/")}
    if extra := sorted(published - digests.keys()):
        raise InvalidRelease(f"release {release} is installed and has {extra[0]} too")
    return files


def _needed_bytes(source: ReleaseSource) -> int:
    # The prepared form: ASCII lines of the performers, four bytes a face.
    prepared_bytes = 2 * source.sizes[PERFORMERS_NAME] + source.sizes[FACES_NAME]
    return source.written_bytes + prepared_bytes


def _copy_files(
    source: ReleaseSource,
    digests: Mapping[str, str],
    release_dir: Path,
    *,
    on_progress: OnProgress,
) -> None:
    counter = ByteCounter(
        Phase.EXTRACTING, total_bytes=source.total_bytes, on_progress=on_progress
    )
    for name, expected in digests.items():
        actual = source.copy(name, release_dir / name, on_bytes=counter.add)
        if actual != expected:
            raise ChecksumMismatch(f"{name}: expected sha256 {expected}, got {actual}")


def _load_on_trial(
    source: ReleaseSource,
    manifest: Manifest,
    release_dir: Path,
    *,
    on_progress: OnProgress,
) -> None:
    counter = ByteCounter(
        Phase.VERIFYING, total_bytes=source.total_bytes, on_progress=on_progress
    )
    report = load_on_trial(release_dir, on_checked=counter.advance_to)
    for what, found, stated in (
        (f"faces in {FACES_NAME}", report.face_count, manifest.face_count),
        (
            f"performers in {PERFORMERS_NAME}",
            report.performer_count,
            manifest.performer_count,
        ),
    ):
        if found != stated:
            raise InvalidRelease(
                f"{MANIFEST_NAME} states {stated} {what}, where there are {found}"
            )


def _install(manifest: Manifest, release_dir: Path) -> DatabaseRelease:
    paths = store.complete(release_dir)
    files = [
        ReleaseFile(name=name, size_bytes=path.stat().st_size, sha256=digest)
        for name, path in paths.items()
        for digest in [manifest.checksums.get(name) or sha256_of(path)]
    ]
    with in_turn():
        release = _record(manifest, files)
        store.install(release_dir, manifest.version)
    return release


def _record(manifest: Manifest, files: list[ReleaseFile]) -> DatabaseRelease:
    """Write the rows of a release that is about to be installed."""
    facts = {
        "performer_count": manifest.performer_count,
        "face_count": manifest.face_count,
        "sources": list(manifest.sources),
        "created_at": manifest.created_at,
        "network_set": manifest.networks.name,
        "network_files": dict(manifest.networks.files),
        "size_bytes": sum(file.size_bytes for file in files),
        "staged_at": timezone.now(),
        "reason": "",
    }
    release, is_new = DatabaseRelease.objects.get_or_create(
        version=manifest.version, defaults={**facts, "status": Status.STAGED}
    )
    if not is_new:
        # An installed one has lost files and gets them back, in the state it has.
        status = release.status if release.is_installed else Status.STAGED
        DatabaseRelease.objects.filter(pk=release.pk, status=release.status).update(
            **facts, status=status
        )
        release.refresh_from_db()
    release.files.all().delete()
    for file in files:
        file.release = release
    ReleaseFile.objects.bulk_create(files)
    return release


@contextmanager
def _disk_full_as_ours() -> Iterator[None]:
    """Turn the operating system's "no space" into ours, wherever it comes up."""
    try:
        yield
    except OSError as exc:
        if exc.errno not in _DISK_FULL:
            raise
        raise InsufficientDiskSpace(f"The disk is full: {exc}") from exc
