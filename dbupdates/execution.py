"""What a run does, from its first byte to every process serving the release.

Each step looks at what is there already, so that a run goes on where the process
before it died: fetched bytes in its folder, a release that is installed, a row that
has flipped.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from dbupdates import runs, store
from dbupdates.adoption import adopted, is_adoption
from dbupdates.archive import open_source
from dbupdates.download import DOWNLOAD_NAMES, Listeners, downloaded
from dbupdates.exceptions import (
    DatabaseUpdateError,
    InvalidRelease,
    NothingToDownload,
    UpdateCancelled,
    UpdateInterrupted,
)
from dbupdates.manifest import Manifest
from dbupdates.models import DatabaseRelease, UpdatePolicy, UpdateRun
from dbupdates.progress import CANCELLABLE, SWAP, OnProgress, Phase, Progress
from dbupdates.runs import RunningUpdate
from dbupdates.services import (
    get_release,
    is_here,
    purge_old_releases,
    reject_release,
    stage_release,
)
from dbupdates.signals import release_preparing
from dbupdates.swap import require_memory, settle_swap, swap_in
from stashsense.downloads.fetcher import Patience
from stashsense.exceptions import StashSenseError

logger = logging.getLogger(__name__)

# How often a lock that another process holds is tried.
WAIT_SECONDS = 0.25


def execute_run(
    run_id: int,
    *,
    listener: OnProgress | None = None,
    patience: Patience | None = None,
) -> None:
    """Work at a run until it has ended; its row says how.

    Does nothing for a run that has ended or that another process works at. Raises
    only what nobody foresaw, after the row was written.
    """
    try:
        with runs.claimed(run_id) as running:
            if running is not None:
                running.listener = listener
                _bring_to_an_end(running, patience)
    except KeyboardInterrupt:
        # Not earlier: a delivery of a run that this process holds comes to nothing.
        runs.leave(run_id)
        raise


def _bring_to_an_end(running: RunningUpdate, patience: Patience | None) -> None:
    try:
        _work(running, patience)
    except UpdateInterrupted as error:
        _interrupt(running, error)
    except KeyboardInterrupt:
        _interrupt(running, UpdateInterrupted("Interrupted from the keyboard."))
        raise
    except UpdateCancelled:
        _end(running, Phase.CANCELLED)
    except (StashSenseError, OSError) as error:
        _fail(running, error)
    except BaseException as error:
        logger.exception("Run %s failed", running.run.job_id)
        _fail(running, error)
        raise
    else:
        _end(running, Phase.COMPLETE)


def _work(running: RunningUpdate, patience: Patience | None) -> None:
    if running.is_overdue or (running.run.phase in SWAP and running.run.error):
        settle_swap(running)
        _purge_old(running)
        return
    release = _installed_release(running, patience)
    if running.run.version != release.version:
        running.update(version=release.version)
    _forget_downloads(release)
    if not running.run.is_activating:
        return
    if running.run.phase in CANCELLABLE:
        _prepare(running, release.network_set, release.network_files)
    files = {file.name: file.size_bytes for file in release.files.all()}
    if not release.is_active:
        require_memory(files, running.note)
    swap_in(release, running)
    _purge_old(running)


def _prepare(
    running: RunningUpdate, network_set: str, network_files: Mapping[str, str]
) -> None:
    """Have the networks fetched that a release needs and that are missing."""

    def tell(done_bytes: int, total_bytes: int) -> None:
        running(Progress(Phase.MODELS, done_bytes, total_bytes))

    release_preparing.send(
        sender=DatabaseRelease,
        network_set=network_set,
        network_files=network_files,
        on_bytes=tell,
        note=running.note,
    )


def _purge_old(running: RunningUpdate) -> None:
    kept_count = UpdatePolicy.current().kept_count
    try:
        for old in purge_old_releases(kept_count=kept_count, within_run=running.run):
            running.note(f"Deleted the files of release {old}.")
    except (DatabaseUpdateError, OSError) as error:
        # What was asked for is done; the next update tries again.
        running.note(f"Old releases could not be deleted: {error}")


def _installed_release(
    running: RunningUpdate, patience: Patience | None
) -> DatabaseRelease:
    run = running.run
    if run.phase in SWAP:
        return get_release(run.version)
    if run.kind == UpdateRun.Kind.IMPORT:
        path = Path(run.source_path)
        opened = adopted(path) if is_adoption(path) else open_source(path)
        with opened as source:
            return stage_release(source, on_progress=running, on_wait=_waiting(running))
    release = get_release(run.version)
    if is_here(release):
        return release
    if run.kind == UpdateRun.Kind.ACTIVATION:
        # Says why not, as for everybody.
        return release
    if not release.archive_url:
        raise NothingToDownload(f"The feed has no archive of release {release}.")
    return _download(running, release, patience)


def _download(
    running: RunningUpdate, release: DatabaseRelease, patience: Patience | None
) -> DatabaseRelease:
    _take_over_earlier(running, release)
    is_resumed = store.run_has_files(running.run.job_id, DOWNLOAD_NAMES)
    try:
        return _fetch_and_stage(running, release, patience)
    except InvalidRelease as error:
        if not is_resumed:
            raise
        # Bytes that lay about for a while prove nothing against what is published.
        running.note(f"Does not verify: {error}. All of it is fetched anew.")
        store.empty_run_folder(running.run.job_id)
    return _fetch_and_stage(running, release, patience)


def _fetch_and_stage(
    running: RunningUpdate, release: DatabaseRelease, patience: Patience | None
) -> DatabaseRelease:
    running.enter(Phase.DOWNLOADING)

    def add_fetched(byte_count: int) -> None:
        running.update(fetched_bytes=running.run.fetched_bytes + byte_count)

    def prepare(manifest: Manifest) -> None:
        if running.run.is_activating:
            _prepare(running, manifest.networks.name, manifest.networks.files)

    listeners = Listeners(
        on_progress=running,
        on_note=running.note,
        on_manifest=prepare,
        on_sizes=lambda sizes: require_memory(sizes, running.note),
        on_fetched=add_fetched,
    )
    with downloaded(
        release, running.folder, listeners=listeners, patience=patience
    ) as source:
        return stage_release(
            source,
            expected_version=release.version,
            on_progress=running,
            on_wait=_waiting(running),
        )


def _waiting(running: RunningUpdate) -> Callable[[], None]:
    """Return what passes the time while somebody deletes files, which takes seconds."""
    is_told = False

    def wait() -> None:
        nonlocal is_told
        if not is_told:
            running.note("Files are being deleted or installed: waits for that.")
            is_told = True
        running.pause(WAIT_SECONDS)

    return wait


def _take_over_earlier(running: RunningUpdate, release: DatabaseRelease) -> None:
    """Go on from what an earlier run for this release left; delete other leavings."""
    for job_id in store.runs_with_folders():
        if job_id == running.run.job_id or store.is_run_held(job_id):
            continue
        earlier = UpdateRun.objects.filter(job_id=job_id).first()
        if earlier is not None and earlier.version == release.version:
            running.note(f"Goes on from what run {job_id} has downloaded.")
            store.take_over_download(running.run.job_id, job_id, DOWNLOAD_NAMES)
        else:
            store.remove_run_folder(job_id)
    UpdateRun.objects.filter(is_resumable=True).exclude(pk=running.run.pk).update(
        is_resumable=False
    )


def _forget_downloads(release: DatabaseRelease) -> None:
    """Delete what earlier runs have downloaded of a release that is installed now."""
    earlier = UpdateRun.objects.filter(version=release.version, is_resumable=True)
    for run in earlier:
        store.remove_run_folder(run.job_id)
    earlier.update(is_resumable=False)


def _interrupt(running: RunningUpdate, error: UpdateInterrupted) -> None:
    """Leave a swap as it stands, for the next start to finish; end anything else."""
    run = running.run
    if run.phase in CANCELLABLE:
        is_resumable = runs.has_download(run)
        _end(running, Phase.FAILED, error=error, is_resumable=is_resumable)
    else:
        running.update(attempt_count=max(run.attempt_count - 1, 0))


def _fail(running: RunningUpdate, error: BaseException) -> None:
    is_resumable = runs.has_download(running.run)
    if isinstance(error, InvalidRelease):
        is_resumable = False
        if running.run.kind == UpdateRun.Kind.DOWNLOAD:
            reject_release(running.run.version, str(error))
    _end(running, Phase.FAILED, error=_told(error), is_resumable=is_resumable)


def _end(
    running: RunningUpdate,
    phase: Phase,
    *,
    error: BaseException | str = "",
    is_resumable: bool = False,
) -> None:
    """Write how the run ended; only one that can be resumed leaves anything.

    Its folder goes last, and its lock with that: nobody must take a run for dead whose
    row does not yet say how it ended. After a crash in between, the folder is empty.
    """
    if not is_resumable:
        store.empty_run_folder(running.run.job_id)
    runs.end_run(running.run, phase, error=error, is_resumable=is_resumable)
    if not is_resumable:
        store.remove_run_folder(running.run.job_id)


def _told(error: BaseException) -> BaseException | str:
    if isinstance(error, StashSenseError | OSError):
        return error
    return f"{type(error).__name__}; the log says more."
