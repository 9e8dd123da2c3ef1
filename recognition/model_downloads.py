"""Downloads of model files: asked for, worked at, told of, ended.

Each is a row. Who works at one holds the operating system's lock on its folder, which
ends with the process, however that ends; so a living download is told from a dead one.
What a download that did not end well has fetched stays there for the next one.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django_q.tasks import async_task

from dbupdates.exceptions import UpdateCancelled
from recognition import model_files
from recognition.exceptions import (
    DownloadCancelled,
    DownloadInProgress,
    DownloadInterrupted,
    NoDownload,
)
from recognition.model_fetching import (
    Listeners,
    OnBytes,
    fetch_model_file,
    forget_fetched,
    require_free_space,
)
from recognition.model_files import PublishedFile
from recognition.models import ModelDownload, ModelFile
from stashsense import stopping
from stashsense.downloads.exceptions import DownloadError
from stashsense.downloads.fetcher import DEFAULT_PATIENCE, Patience
from stashsense.exceptions import StashSenseError
from stashsense.files import is_folder_locked, locked_folder
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

TASK = "recognition.tasks.download_model"
# Below the models folder: what is renamed has to lie on the same file system.
FOLDER_NAME = ".downloads"
# A process that dies at a download may have died of it.
MAX_ATTEMPTS = 2
# How often a row is written, and how soon a cancel is seen.
REPORT_SECONDS = 0.5
# How often a download is looked at that another process works at.
FOLLOW_SECONDS = 0.25

State = ModelDownload.State
# Whose downloads the background does.
_QUEUED_FOR = (
    ModelDownload.Asker.ADMIN,
    ModelDownload.Asker.API,
    ModelDownload.Asker.PLUGIN,
)
# Whoever writes a row and works at it itself has begun by then.
_BEGINNING = timedelta(minutes=1)


@dataclass(frozen=True)
class Asker:
    """Who wants a download: by which way, and the person where one is known."""

    way: ModelDownload.Asker
    user: User | None = None


def ignore_bytes(_done_bytes: int, _total_bytes: int, /) -> None:
    """Tell nobody."""


def request_download(name: str, *, asker: Asker) -> ModelDownload:
    """Ask the background for a file, whatever is in its place; return the row.

    One that is intact is left as it is, and the download is complete at once. Raises
    ModelNotFound or DownloadInProgress.
    """
    published = model_files.get_published(name)
    _end_if_dead(published)
    with in_turn():
        download = _write_row(published, asker)
        _queue(download)
    return download


def request_all(*, asker: Asker) -> list[ModelDownload]:
    """Ask the background for every file that is not installed nor being downloaded."""
    downloads = []
    for state in model_files.states():
        if not state.is_installed:
            try:
                downloads.append(request_download(state.published.name, asker=asker))
            except DownloadInProgress:
                continue
    return downloads


def cancel_downloads(name: str = "", *, asker: Asker) -> list[ModelDownload]:
    """Ask the downloads in progress to end, or the one of that file; return them.

    Those nobody works at end at once. Raises ModelNotFound, or NoDownload if there is
    none.
    """
    rows = ModelDownload.objects.in_progress()
    if name:
        rows = rows.filter(file__name=model_files.get_published(name).name)
    downloads = [*rows.select_related("file")]
    if not downloads:
        raise NoDownload(f"No download of {name or 'a model file'} is in progress.")
    for download in downloads:
        rows.filter(pk=download.pk).update(is_cancel_asked=True)
        logger.info("%s cancelled by %s", download, asker.user or asker.way)
        folder = _folder(download.file.name)
        if not is_folder_locked(folder):
            _end(download, State.CANCELLED)
            # Unless somebody has begun another one by now.
            with suppress(FileNotFoundError, BlockingIOError), locked_folder(folder):
                forget_fetched(folder)
    return downloads


def latest_downloads() -> Mapping[str, ModelDownload]:
    """Return the newest download of each file that was ever asked for."""
    newest_pks = ModelDownload.objects.order_by("file").values("file")
    rows = ModelDownload.objects.filter(
        pk__in=newest_pks.annotate(newest=Max("pk")).values("newest")
    )
    newest = {row.file.name: row for row in rows.select_related("file")}
    return {name: newest[name] for name in model_files.MODEL_FILES if name in newest}


def install(
    wanted: Iterable[PublishedFile],
    *,
    asker: Asker,
    on_bytes: OnBytes = ignore_bytes,
    patience: Patience = DEFAULT_PATIENCE,
) -> None:
    """Have the files installed when this returns, fetched here or by who is at it.

    `on_bytes` hears several times a second of all of them together and may raise to
    end it. Raises what fetching one does; those before it are installed then.
    """
    missing = [each for each in wanted if not model_files.state_of(each).is_installed]
    if not missing:
        return
    require_free_space(sum(each.typical_bytes for each in missing), _downloads_dir())
    total_bytes, before_bytes = sum(each.typical_bytes for each in missing), 0
    for published in missing:
        tell = partial(_tell_of_all, on_bytes, before_bytes, total_bytes)
        _install_one(published, asker, tell, patience)
        before_bytes += published.typical_bytes
        on_bytes(before_bytes, total_bytes)


def install_networks(
    files: Iterable[str],
    *,
    on_bytes: OnBytes,
    note: Callable[[str], None],
) -> None:
    """Have the published networks installed that a release to be served names.

    Raises what `install` does; a DownloadError says what can be done by hand.
    """
    states = [
        model_files.state_of(published)
        for published in model_files.MODEL_FILES.values()
        if published.file in files
    ]
    missing = [state.published for state in states if not state.is_installed]
    if not missing:
        return
    names = ", ".join(published.name for published in missing)
    note(f"The networks {names} are fetched: the release needs them.")
    try:
        install(
            missing,
            asker=Asker(ModelDownload.Asker.UPDATE),
            on_bytes=on_bytes,
        )
    except DownloadError as error:
        paths = ", ".join(published.file for published in missing)
        raise DownloadError(
            f"The networks of this release could not be fetched: {error} They can also "
            f"be put into {settings.MODELS_DIR} by hand, as {paths}."
        ) from error
    note("The networks are installed.")


def execute_download(
    download_id: int, *, patience: Patience = DEFAULT_PATIENCE
) -> None:
    """Work at a download until it has ended; its row says how.

    Does nothing for one that has ended or that another process works at. Raises only
    what nobody foresaw, after the row was written.
    """
    try:
        _work_at(download_id, ignore_bytes, patience)
    except (StashSenseError, OSError) as error:
        logger.warning("Download %s has ended: %s", download_id, error)


def look_after_dead_downloads() -> None:
    """Ask the background again for downloads that nobody works at, or end them.

    Their process has died, or their task was lost with it; a second delivery does no
    harm, and one that died too often is ended when it is delivered. What a command or
    an update wanted for itself ends with it.
    """
    try:
        for download in ModelDownload.objects.in_progress().select_related("file"):
            if is_folder_locked(_folder(download.file.name)):
                continue
            if download.asked_by in _QUEUED_FOR:
                _queue(download)
            elif download.created_at < timezone.now() - _BEGINNING:
                _end(download, State.FAILED, DownloadInterrupted(_INTERRUPTED))
    except DatabaseError:
        # Whoever starts next looks again; this process has other work to do.
        logger.exception("Dead downloads could not be looked for")


def _tell_of_all(
    on_bytes: OnBytes, before_bytes: int, total_bytes: int, done_bytes: int, _: int
) -> None:
    on_bytes(min(before_bytes + done_bytes, total_bytes), total_bytes)


def _install_one(
    published: PublishedFile, asker: Asker, on_bytes: OnBytes, patience: Patience
) -> None:
    _end_if_dead(published)
    download = _find_in_progress(published)
    if download is None:
        try:
            download = _write_row(published, asker)
        except DownloadInProgress:
            download = _find_in_progress(published)
    while download is not None and download.is_in_progress:
        # One that waits for the background is worked at here: it may wait for us.
        _work_at(download.pk, on_bytes, patience)
        download.refresh_from_db()
        if download.is_in_progress:
            on_bytes(download.done_bytes, download.total_bytes)
            time.sleep(FOLLOW_SECONDS)
    if not model_files.state_of(published).is_installed:
        why = download.error if download else "it ended without a trace"
        raise DownloadError(f"{published.name} was not downloaded: {why}")


def _find_in_progress(published: PublishedFile) -> ModelDownload | None:
    rows = ModelDownload.objects.in_progress().filter(file__name=published.name)
    return rows.select_related("file").first()


def _write_row(published: PublishedFile, asker: Asker) -> ModelDownload:
    file: ModelFile = model_files.row_of(published)
    try:
        with transaction.atomic():
            download = ModelDownload.objects.create(
                file=file,
                asked_by=asker.way,
                user=asker.user,
                total_bytes=published.typical_bytes,
            )
    except IntegrityError as exc:
        raise DownloadInProgress(
            f"{published.name} is being downloaded already."
        ) from exc
    logger.info("%s asked for by %s", download, asker.user or asker.way)
    return download


def _queue(download: ModelDownload) -> None:
    async_task(TASK, download.pk, task_name=f"model {download.file.name}"[:100])


def _end_if_dead(published: PublishedFile) -> None:
    """End a download whose process has died, so that another one can begin."""
    download = _find_in_progress(published)
    if download is None or download.state == State.QUEUED:
        return
    if not is_folder_locked(_folder(published.name)):
        _end(download, State.FAILED, DownloadInterrupted(_INTERRUPTED))


_INTERRUPTED = (
    "The process that downloaded it ended. What was fetched is kept: the next download "
    "goes on from there."
)


@contextmanager
def _claimed(download_id: int) -> Iterator["RunningDownload | None"]:
    """Hold a download for the time it is worked at; None if that must not be done here.

    Nothing is done at one that another process works at, or that has ended.
    """
    download = (
        ModelDownload.objects.in_progress()
        .select_related("file")
        .filter(pk=download_id)
        .first()
    )
    if download is None:
        yield None
        return
    folder = _folder(download.file.name)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(locked_folder(folder))
        except BlockingIOError:
            yield None
            return
        running = RunningDownload(download, folder)
        yield running if _begin_attempt(running) else None


def _begin_attempt(running: "RunningDownload") -> bool:
    """Count an attempt before anything is done; False if there were enough."""
    download = running.download
    rows = ModelDownload.objects.in_progress().filter(pk=download.pk)
    begun = rows.filter(attempt_count__lt=MAX_ATTEMPTS, is_cancel_asked=False).update(
        attempt_count=F("attempt_count") + 1,
        state=State.DOWNLOADING,
        heartbeat_at=timezone.now(),
    )
    download.refresh_from_db()
    if begun:
        return True
    if download.is_cancel_asked:
        forget_fetched(running.folder)
        _end(download, State.CANCELLED)
    else:
        died = f"The process that downloaded it died {download.attempt_count} times."
        _end(download, State.FAILED, DownloadInterrupted(died))
    return False


def _work_at(download_id: int, on_bytes: OnBytes, patience: Patience) -> None:
    """Work at a download if nobody else does; raise what ended it, once written."""
    with _claimed(download_id) as running:
        if running is None:
            return
        download = running.download
        try:
            _fetch(running, on_bytes, patience)
        except (DownloadCancelled, UpdateCancelled):
            forget_fetched(running.folder)
            _end(download, State.CANCELLED)
            raise
        except BaseException as error:
            if not isinstance(error, (StashSenseError, OSError, KeyboardInterrupt)):
                logger.exception("%s failed", download)
            _end(download, State.FAILED, _told(error))
            raise
        _end(download, State.COMPLETE)


def _fetch(running: "RunningDownload", on_bytes: OnBytes, patience: Patience) -> None:
    published = model_files.get_published(running.download.file.name)
    state = model_files.state_of(published)
    if state.is_installed and state.expected_sha256:
        forget_fetched(running.folder)
        return

    def tell(done_bytes: int, total_bytes: int) -> None:
        running.tell(done_bytes, total_bytes)
        on_bytes(done_bytes, total_bytes)

    sha256 = fetch_model_file(
        published,
        running.folder,
        expected_sha256=state.expected_sha256,
        listeners=Listeners(on_bytes=tell, on_validating=running.begin_validating),
        patience=patience,
    )
    model_files.record_download(published, sha256)
    # Not `write`: it is too late to cancel what is in its place.
    size_bytes = published.installed_path.stat().st_size
    ModelDownload.objects.filter(pk=running.download.pk).update(
        done_bytes=size_bytes, total_bytes=size_bytes
    )


class RunningDownload:
    """A download at work, as the one who works at it sees it.

    `tell` and `begin_validating` raise DownloadCancelled or DownloadInterrupted when
    the work is to end.
    """

    def __init__(self, download: ModelDownload, folder: Path) -> None:
        self.download = download
        self.folder = folder
        self._told_at = 0.0

    def tell(self, done_bytes: int, total_bytes: int) -> None:
        """Tell how far it is; the row is written twice a second."""
        if time.monotonic() - self._told_at >= REPORT_SECONDS:
            self._told_at = time.monotonic()
            self.write(done_bytes=done_bytes, total_bytes=total_bytes)

    def begin_validating(self) -> None:
        self.write(state=State.VALIDATING)

    def write(self, **facts: Any) -> None:
        """Write facts into the row, and that it lives."""
        if stopping.is_asked():
            raise DownloadInterrupted(_INTERRUPTED)
        written = ModelDownload.objects.filter(
            pk=self.download.pk, is_cancel_asked=False
        ).update(heartbeat_at=timezone.now(), **facts)
        if not written:
            raise DownloadCancelled("The download was cancelled.")


def _end(
    download: ModelDownload, state: State, error: BaseException | str = ""
) -> None:
    """Write how a download ended, unless it has ended already."""
    now = timezone.now()
    ended = (
        ModelDownload.objects.in_progress()
        .filter(pk=download.pk)
        .update(
            state=state,
            error=str(error),
            error_code=getattr(error, "code", "error" if error else ""),
            heartbeat_at=now,
            ended_at=now,
        )
    )
    download.refresh_from_db()
    if ended:
        logger.info("%s is %s %s", download, state, error)


def _told(error: BaseException) -> BaseException | str:
    if isinstance(error, KeyboardInterrupt):
        return DownloadInterrupted(_INTERRUPTED)
    if isinstance(error, (StashSenseError, OSError)):
        return error
    return f"{type(error).__name__}; the log says more."


def _folder(name: str) -> Path:
    """Return where the file's download lies; `name` is one of the list's."""
    return _downloads_dir() / name


def _downloads_dir() -> Path:
    folder = Path(settings.MODELS_DIR) / FOLDER_NAME
    folder.mkdir(parents=True, exist_ok=True)
    return folder
