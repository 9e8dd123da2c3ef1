"""Where releases live on disk. The only module that touches DATA_DIR/releases.

A release folder is complete or absent, and never modified once complete: it is filled
in DATA_DIR/staging/<run>/release/ and renamed. Who stages holds an operating system's
lock on the staging folder, which ends with the process, however that ends.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from dbupdates.exceptions import UpdateInProgress
from dbupdates.manifest import PREPARED_NAME
from dbupdates.models import DatabaseRelease
from dbupdates.versions import parse_version
from stashsense.downloads.exceptions import InsufficientDiskSpace
from stashsense.files import (
    free_bytes,
    is_folder_locked,
    locked_folder,
    sync_directory,
)

# Readable by all, writable by none: nothing edits a release, not even by mistake.
_FILE_MODE = 0o444
# Room for what else is written meanwhile, and for blocks that are not full.
_SPARE_FRACTION = 0.05

_IMPORT_PREFIX = "import-"
_REMOVED_PREFIX = "removed-"
_RUN_PREFIX = "update-"
_FETCHING_PREFIX = "fetch-"


@dataclass(frozen=True)
class ActiveRelease:
    """A release to be served: where it lies and what it needs.

    `network_files` maps a path below the set's folder to its SHA-256, or to "" where
    none is known.
    """

    version: str
    path: Path
    network_set: str
    network_files: dict[str, str]
    performer_count: int
    face_count: int
    sources: tuple[str, ...]
    created_at: datetime | None


def active_release() -> ActiveRelease | None:
    """Return the release to be served, as its row says, or None."""
    release = DatabaseRelease.objects.active()
    return None if release is None else describe(release)


def describe(release: DatabaseRelease) -> ActiveRelease:
    """Return what serving the release takes, whether or not it is active."""
    return ActiveRelease(
        version=release.version,
        path=release_path(release.version),
        network_set=release.network_set,
        network_files=dict(release.network_files),
        performer_count=release.performer_count,
        face_count=release.face_count,
        sources=tuple(release.sources),
        created_at=release.created_at,
    )


def release_path(version: str) -> Path:
    """Return where the release lies, installed or not; ValueError for no version."""
    if str(parse_version(version)) != version:
        raise ValueError(f"{version!r} is not in its canonical spelling")
    return _releases_dir() / version


def is_version(name: str) -> bool:
    """Return whether a release may lie in a folder of this name."""
    try:
        return str(parse_version(name)) == name
    except ValueError:
        return False


def has_release(version: str) -> bool:
    """Return whether the release's folder is there, and so complete."""
    return release_path(version).is_dir()


def iter_file_paths(version: str) -> Iterator[tuple[str, Path]]:
    """Yield the name and path of each file of an installed release, sorted."""
    yield from _iter_files(release_path(version))


@contextmanager
def exclusive(*, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the right to stage and to delete; UpdateInProgress if another does.

    With `on_wait`, which pauses or raises, wait for the other instead.
    """
    staging_dir = _staging_dir()
    staging_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(
                    _locked(staging_dir, "another import or update is in progress")
                )
                break
            except UpdateInProgress:
                if on_wait is None:
                    raise
                on_wait()
        yield


@contextmanager
def run_folder(job_id: str) -> Iterator[Path]:
    """Yield the folder of a run, kept until `remove_run_folder`; UpdateInProgress
    while another process holds it, which is how a living run is told from a dead one.
    """
    folder = _run_path(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder, f"run {job_id} is at work in another process"):
        yield folder


@contextmanager
def fetching_folder(version: str) -> Iterator[Path]:
    """Yield the folder for fetching what another host has installed; kept on failure.

    UpdateInProgress while another process of this host holds it.
    """
    folder = _fetching_path(version)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder, f"another process fetches release {version}"):
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def remove_fetches(*, except_of: str | None) -> None:
    """Delete what was fetched in vain of other releases and is in nobody's hands."""
    for path in _staging_dir().glob(f"{_FETCHING_PREFIX}*"):
        if except_of is not None and path == _fetching_path(except_of):
            continue
        with suppress(UpdateInProgress), _locked(path, "it is being fetched"):
            shutil.rmtree(path, ignore_errors=True)


def is_run_held(job_id: str) -> bool:
    """Return whether a living process works at the run."""
    return is_folder_locked(_run_path(job_id))


def empty_run_folder(job_id: str) -> None:
    """Delete what a run has left, but for the folder: while it is held, it lives."""
    with suppress(FileNotFoundError):
        for path in _run_path(job_id).iterdir():
            path.unlink(missing_ok=True)


def remove_run_folder(job_id: str) -> bool:
    """Delete what a run has left in staging, if anything; return whether it is gone."""
    shutil.rmtree(_run_path(job_id), ignore_errors=True)
    return not _run_path(job_id).exists()


def run_has_files(job_id: str, names: Iterable[str]) -> bool:
    """Return whether all of these files lie in the folder of the run."""
    return all((_run_path(job_id) / name).is_file() for name in names)


def runs_with_folders() -> list[str]:
    """Return the job ids that have a folder in staging."""
    if not _staging_dir().is_dir():
        return []
    names = sorted(path.name for path in _staging_dir().iterdir())
    return [
        name.removeprefix(_RUN_PREFIX) for name in names if name.startswith(_RUN_PREFIX)
    ]


def take_over_download(job_id: str, former_job_id: str, names: Iterable[str]) -> None:
    """Move what an earlier run has downloaded into the folder of another."""
    former_dir = _run_path(former_job_id)
    for name in names:
        path = former_dir / name
        if path.is_file():
            path.rename(_run_path(job_id) / name)
    shutil.rmtree(former_dir, ignore_errors=True)


@contextmanager
def _locked(folder: Path, refusal: str) -> Iterator[None]:
    """Hold the operating system's lock on the folder, or raise UpdateInProgress."""
    with ExitStack() as held:
        try:
            held.enter_context(locked_folder(folder))
        except BlockingIOError as exc:
            raise UpdateInProgress(refusal) from exc
        yield


@contextmanager
def staging_folder() -> Iterator[Path]:
    """Yield a new empty `staging/<run>/release`; gone afterwards unless installed."""
    run_dir = Path(tempfile.mkdtemp(prefix=_IMPORT_PREFIX, dir=_staging_dir()))
    try:
        release_dir = run_dir / "release"
        release_dir.mkdir()
        yield release_dir
    finally:
        shutil.rmtree(run_dir)


def require_free_space(needed_bytes: int) -> None:
    """Raise InsufficientDiskSpace unless that much fits, and a twentieth more."""
    needed_bytes += int(needed_bytes * _SPARE_FRACTION)
    available_bytes = free_bytes(_staging_dir())
    if available_bytes < needed_bytes:
        raise InsufficientDiskSpace(
            f"{settings.DATA_DIR} has {available_bytes / 1e6:,.1f} MB free; "
            f"{needed_bytes / 1e6:,.1f} MB are needed"
        )


def complete(release_dir: Path) -> dict[str, Path]:
    """Make a filled staging folder read-only and durable; return its files by name."""
    paths = dict(_iter_files(release_dir))
    for path in paths.values():
        path.chmod(_FILE_MODE)
    sync_directory(release_dir)
    return paths


def install(release_dir: Path, version: str) -> None:
    """Give a completed staging folder its place, by one rename.

    A folder that no row vouches for any more and lies there is put aside first. After
    a crash between the two the release is absent; both folders are in staging.
    """
    releases_dir = _releases_dir()
    releases_dir.mkdir(parents=True, exist_ok=True)
    if has_release(version):
        remove(version)
    release_dir.rename(release_path(version))
    sync_directory(releases_dir)


def remove(version: str) -> None:
    """Delete a release's files; its folder is gone at once, by a rename.

    Processes that have it loaded keep what they have mapped.
    """
    doomed_dir = Path(tempfile.mkdtemp(prefix=_REMOVED_PREFIX, dir=_staging_dir()))
    release_path(version).rename(doomed_dir / version)
    sync_directory(_releases_dir())
    shutil.rmtree(doomed_dir)


def remove_orphans() -> Iterator[tuple[str, OSError | None]]:
    """Delete what imports and removals that died left in staging.

    Yields each name, with the error where it could not be deleted; nobody minds what
    stays, but for its bytes. Call it while holding `exclusive`: without the lock they
    may be alive.
    """
    for path in sorted(_staging_dir().iterdir()):
        if path.name.startswith((_IMPORT_PREFIX, _REMOVED_PREFIX)):
            try:
                shutil.rmtree(path)
            except OSError as error:
                yield path.name, error
            else:
                yield path.name, None


def has_files(version: str, sizes: Mapping[str, int]) -> bool:
    """Return whether exactly these files, with these sizes, are installed."""
    if not has_release(version):
        return False
    return dict(sizes) == {
        name: path.stat().st_size for name, path in iter_file_paths(version)
    }


def folders_on_disk() -> list[str]:
    """Return the names of the release folders, vouched for by a row or not."""
    if not _releases_dir().is_dir():
        return []
    return sorted(path.name for path in _releases_dir().iterdir())


def _run_path(job_id: str) -> Path:
    return _staging_dir() / f"{_RUN_PREFIX}{job_id}"


def _fetching_path(version: str) -> Path:
    return _staging_dir() / f"{_FETCHING_PREFIX}{version}"


def _releases_dir() -> Path:
    return Path(settings.DATA_DIR) / "releases"


def _staging_dir() -> Path:
    return Path(settings.DATA_DIR) / "staging"


def _iter_files(release_dir: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(release_dir.iterdir()):
        if path.name == PREPARED_NAME:
            for prepared_path in sorted(path.iterdir()):
                yield f"{PREPARED_NAME}/{prepared_path.name}", prepared_path
        else:
            yield path.name, path
