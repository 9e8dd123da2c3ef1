"""The one process-level registry: what this process serves, and how it is replaced.

A watcher thread looks four times a second at which release is active and at the
settings that what is served is made with; what they ask for is loaded beside what is
served, and then one reference changes. A picture in work keeps the recognizer it began
with. Where memory cannot hold two, what is served goes first, and requests are sent
away meanwhile. What nobody has needed for long goes, too, and the next request has it
loaded again. The watcher also writes this process's row, by which an update learns
that the process has followed, and people what it serves.
"""

import logging
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.db import DatabaseError, connection
from django.utils import timezone

from dbupdates.store import ActiveRelease, active_release
from recognition import preferences, reporting
from recognition.exceptions import DatabaseNotLoaded, DatabaseUpdating
from recognition.fetching import Fetching
from recognition.hardware import execution_plan
from recognition.loading import load_recognizer, must_unload_first
from recognition.local_following import LocalFollower
from recognition.preferences import DEFAULT_OPTIONS, ServingOptions
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.memory import release_unused_memory
from recognition.runtime.networks import Networks
from recognition.runtime.providers import ExecutionPlan
from recognition.runtime.recognizer import Recognizer
from recognition.serving import LoadFailure, RegistryState, Serving
from recognition.usage import Usage
from stashsense.exceptions import StashSenseError

__all__ = ["LoadFailure", "Registry", "RegistryState", "Serving"]

logger = logging.getLogger(__name__)

# A query of one row; a swap waits for half of it on average.
POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 5.0
# After a failed load: the cause may be a file that somebody is putting in its place.
RETRY_SECONDS = 30.0
STOP_SECONDS = 3.0
# After a fault that nobody foresaw, lest the log fills up.
FAULT_SECONDS = 5.0
# How long requests in work may keep a release that is to be unloaded.
LETTING_GO_SECONDS = 5.0
LETTING_GO_POLL_SECONDS = 0.02
# How long requests wait for what was unloaded, counted from the first of them: a
# published release takes seconds, and clients give up after a minute.
WAKING_SECONDS = 20.0

NO_ACTIVE_RELEASE = (
    "No release is active: import one with manage.py import_release PATH --activate."
)


class Registry:
    """What is served and the threads that keep it so; `start` after the fork."""

    def __init__(self) -> None:
        self._serving: Serving | None = None
        self._failure: LoadFailure | None = None
        self._plan: ExecutionPlan | None = None
        self._loader: threading.Thread | None = None
        self._watcher: threading.Thread | None = None
        self._is_changing_over = False
        self._has_unloaded_first = False
        self._usage = Usage()
        self._local = LocalFollower()
        # What the next request loads, where there was nothing to do; and until when
        # requests wait for it, None while nobody has asked.
        self._unloaded: ActiveRelease | None = None
        self._awaited_until: float | None = None
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._fetching = Fetching(self._stopping.is_set)
        self._wake = threading.Event()
        self._started_at = timezone.now()
        self._next_heartbeat = 0.0

    def start(self) -> None:
        """Begin to watch and to load; returns at once."""
        self._stopping.clear()
        self._watcher = threading.Thread(
            target=self._watch, name="registry", daemon=True
        )
        self._watcher.start()

    def stop(self) -> None:
        """End watching and remove this process's row; a load is left to die."""
        self._stopping.set()
        self._wake.set()
        if self._watcher is not None:
            self._watcher.join(STOP_SECONDS)

    def look_at_once(self) -> None:
        """Look at the active row now rather than a moment later."""
        self._wake.set()

    def load_active(self) -> None:
        """Load the active release in this thread, for a process that only asks once.

        Raises what `load_recognizer` does, or DatabaseNotLoaded when none is active.
        """
        active = active_release()
        if active is None:
            raise DatabaseNotLoaded(NO_ACTIVE_RELEASE)
        options = preferences.serving_options()
        self._plan = execution_plan(is_gpu_enabled=options.is_gpu_enabled)
        recognizer = load_recognizer(active, self._plan, options=options)
        self._serving = Serving(active, self._with_local(recognizer), options)

    def serve(self, serving: Serving | None) -> None:
        """Serve this and nothing else: the back door of tests."""
        self._serving = serving
        self._failure = None
        self._unloaded = None

    def follow_local(self) -> None:
        """Compare with the local performers there are now; looks at one row if it does.

        Whoever holds a recognizer keeps what it has.
        """
        serving = self._serving
        if serving is not None:
            recognizer = self._with_local(serving.recognizer)
            if recognizer is not serving.recognizer:
                self._serving = replace(serving, recognizer=recognizer)

    def _with_local(self, recognizer: Recognizer) -> Recognizer:
        database = recognizer.database
        followed = self._local.follow(database, recognizer.networks.name)
        if followed is database:
            return recognizer
        return replace(recognizer, database=followed)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have nothing unloaded for want of work until the block ends."""
        with self._usage.work():
            yield

    def require_served(self) -> None:
        """Raise DatabaseNotLoaded unless `recognizer` will have one to return.

        What was unloaded begins to be loaded; this does not wait for it.
        """
        self._usage.touch()
        if self._serving is None and not self._ask_for_unloaded():
            raise self._not_loaded()

    def recognizer(self) -> Recognizer:
        """Return what to identify with; raises DatabaseNotLoaded with the reason.

        Waits for what was unloaded for want of work, for a while.
        """
        self._usage.touch()
        if self._serving is None and self._ask_for_unloaded():
            self._await_loaded()
        if (serving := self._serving) is not None:
            return serving.recognizer
        raise self._not_loaded()

    def _not_loaded(self) -> DatabaseNotLoaded:
        if self._is_changing_over:
            return DatabaseUpdating("Database update in progress")
        if (failure := self._failure) is not None:
            return DatabaseNotLoaded(
                f"Release {failure.release.version} is not served: {failure.message}"
            )
        is_coming = self._loader is not None or self._unloaded is not None
        return DatabaseNotLoaded(
            "The database is being loaded." if is_coming else NO_ACTIVE_RELEASE
        )

    def _ask_for_unloaded(self) -> bool:
        """Have what was unloaded loaded again; False where nothing was."""
        with self._changed:
            if self._unloaded is None:
                return self._serving is not None
            if self._awaited_until is None:
                self._awaited_until = time.monotonic() + WAKING_SECONDS
                self._wake.set()
            return True

    def _await_loaded(self) -> None:
        with self._changed:
            left = (self._awaited_until or 0.0) - time.monotonic()
            self._changed.wait_for(lambda: self._unloaded is None, max(left, 0.0))

    def state(self) -> RegistryState:
        """Return what is held now, without waiting for anything."""
        return RegistryState(
            serving=self._serving,
            is_loading=self._loader is not None,
            failure=self._failure,
            plan=self._plan,
            unloaded=self._unloaded,
            fetched_percent=self._fetching.percent,
        )

    def _watch(self) -> None:
        try:
            reporting.forget_the_dead()
            while not self._stopping.is_set():
                try:
                    self._look()
                except DatabaseError as error:
                    # Locked or gone for a moment; what is served stays served.
                    logger.warning("The registry could not look: %s", error)
                    self._next_heartbeat = 0.0
                    connection.close()
                except Exception:
                    # No thread to be had, no file: a process that looks no more would
                    # serve the release of today for ever.
                    logger.exception("The registry could not look")
                    connection.close()
                    self._wake.wait(FAULT_SECONDS)
                self._wake.wait(POLL_SECONDS)
                self._wake.clear()
            reporting.remove_row()
        finally:
            connection.close()

    def _look(self) -> None:
        active = active_release()
        options = preferences.serving_options() if active else DEFAULT_OPTIONS
        failure = self._failure
        if failure is not None and (failure.release, failure.options) != (
            active,
            options,
        ):
            self._failure = None
            # Or the next attempt to swap this release in would read of this one.
            self._next_heartbeat = 0.0
        if self._loader is None:
            if active is None:
                self._stop_serving()
            elif self._should_load(active, options):
                self._loader = threading.Thread(
                    target=self._load,
                    args=[active, options],
                    name="loader",
                    daemon=True,
                )
                try:
                    self._loader.start()
                except RuntimeError:
                    # No thread to be had now: nobody is loading.
                    self._loader = None
                    raise
                self._next_heartbeat = 0.0
            else:
                self._unload_if_idle(active)
                self.follow_local()
        if time.monotonic() >= self._next_heartbeat:
            # First: a load that ends while the row is written wants another.
            self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
            release_unused_memory()
            self._write_row()

    def _stop_serving(self) -> None:
        self._is_changing_over = False
        followed = self.state().followed
        if followed is not None:
            self._serving = None
            self._end_waiting()
            self._next_heartbeat = 0.0
            logger.info("No release is active; %s goes", followed.version)

    def _should_load(self, active: ActiveRelease, options: ServingOptions) -> bool:
        serving, failure = self._serving, self._failure
        if serving and (serving.release, serving.options) == (active, options):
            return False
        if self._unloaded is not None and self._awaited_until is None:
            # Nobody has followed who lacks the files, and may not get them.
            is_missing = self._fetching.is_needed(active)
            return is_missing or preferences.idle_unload_seconds() == 0
        return failure is None or time.monotonic() - failure.failed_at >= RETRY_SECONDS

    def _unload_if_idle(self, active: ActiveRelease) -> None:
        """Let go of what nobody has needed for as long as the setting says."""
        if self._unloaded is not None:
            if self._unloaded != active and self._awaited_until is None:
                # Nothing to load for that: it has followed when it says so.
                self._unloaded = active
                self._next_heartbeat = 0.0
            return
        seconds = preferences.idle_unload_seconds()
        if self._serving is None or not seconds:
            return
        with self._usage.while_idle(seconds) as is_idle:
            if not is_idle:
                return
            self._awaited_until = None
            self._unloaded = active
            self._serving = None
        # At which freed memory goes back, too.
        self._next_heartbeat = 0.0
        logger.info("Unloaded release %s after %d s idle", active.version, seconds)

    def _end_waiting(self) -> None:
        """Have requests that wait for what was unloaded look at what there is now."""
        with self._changed:
            self._unloaded = None
            self._awaited_until = None
            self._changed.notify_all()

    def _load(self, release: ActiveRelease, options: ServingOptions) -> None:
        try:
            self._change_over(release, options)
        except StashSenseError as error:
            logger.error("Cannot serve release %s: %s", release.version, error)
            self._fail(release, options, error.code, str(error))
        except Exception as error:
            logger.exception("Cannot serve release %s", release.version)
            self._fail(release, options, "error", type(error).__name__)
            raise
        finally:
            connection.close()
            # Before the row is asked for, which is to say that the load has ended.
            self._loader = None
            self._next_heartbeat = 0.0
            self._wake.set()

    def _fail(
        self, release: ActiveRelease, options: ServingOptions, code: str, message: str
    ) -> None:
        failed_at = time.monotonic()
        self._failure = LoadFailure(release, options, code, message, failed_at)
        self._is_changing_over = False
        self._end_waiting()

    def _change_over(self, release: ActiveRelease, options: ServingOptions) -> None:
        """Load what is asked for and put it in place, if it is still the active one."""
        if self._fetching.is_needed(release):
            self._next_heartbeat = 0.0
            self._fetching.fetch(release)
        started = time.monotonic()
        plan = execution_plan(is_gpu_enabled=options.is_gpu_enabled)
        networks = self._networks_of(release, plan)
        database = self._database_of(release)
        unloads_first = (
            self._serving is not None
            and not (networks and database)
            and must_unload_first(
                release,
                opens_networks=networks is None,
                loads_indices=database is None,
            )
        )
        if unloads_first:
            self._is_changing_over = True
            database = None
            self._unload()
        if self._serving is None:
            self._plan = plan
        # Only where the networks are: another device opens them all anew.
        serving = self._serving
        signals = serving.recognizer.signals if networks and serving else None
        recognizer = load_recognizer(
            release,
            plan,
            options=options,
            networks=networks,
            database=database,
            signals=signals,
        )
        if active_release() != release:
            # If it was unloaded for, the change-over goes on with the one that is.
            logger.info("Release %s is not active any more", release.version)
            return
        self._has_unloaded_first = unloads_first
        self._plan = plan
        self._usage.touch()
        self._serving = Serving(release, self._with_local(recognizer), options)
        self._is_changing_over = False
        self._failure = None
        self._end_waiting()
        release_unused_memory()
        seconds = time.monotonic() - started
        logger.info("Serving release %s after %.1f s", release.version, seconds)

    def _networks_of(
        self, release: ActiveRelease, plan: ExecutionPlan
    ) -> Networks | None:
        """Return the open networks if the release needs the very same, run there."""
        serving = self._serving
        if serving is None or plan != self._plan:
            return None
        served = serving.release
        is_same = (served.network_set, served.network_files) == (
            release.network_set,
            release.network_files,
        )
        return serving.recognizer.networks if is_same else None

    def _database_of(self, release: ActiveRelease) -> FaceDatabase | None:
        """Return the loaded faces if it is the same release."""
        serving = self._serving
        if serving is None or serving.release != release:
            return None
        return serving.recognizer.database.plain

    def _unload(self) -> None:
        """Let go of what is served and wait until requests in work have, too."""
        serving, self._serving = self._serving, None
        assert serving is not None
        logger.info("Unloading release %s first", serving.release.version)
        database = weakref.ref(serving.recognizer.database.plain)
        del serving
        until = time.monotonic() + LETTING_GO_SECONDS
        while database() is not None and time.monotonic() < until:
            if self._stopping.wait(LETTING_GO_POLL_SECONDS):
                break
        release_unused_memory()

    def _write_row(self) -> None:
        reporting.write_row(
            self.state(),
            has_unloaded_first=self._has_unloaded_first,
            started_at=self._started_at,
        )


_registry = Registry()


def start() -> None:
    """Begin to serve in this process: gunicorn calls it in each worker."""
    _registry.start()


def stop() -> None:
    """Undo `start`."""
    _registry.stop()


def look_at_once() -> None:
    """Have a started registry look at the active row now."""
    _registry.look_at_once()


def load_active() -> None:
    """Load the active release before this returns, as commands need it."""
    _registry.load_active()


def serve(serving: Serving | None) -> None:
    """Serve this and nothing else: the back door of tests."""
    _registry.serve(serving)


def follow_local() -> None:
    """Have this process compare with the local performers there are now."""
    _registry.follow_local()


@contextmanager
def in_use() -> Iterator[None]:
    """Keep what is served from being unloaded for want of work; for work that takes
    long, such as a scene, and for requests that wait for their turn.
    """
    with _registry.in_use():
        yield


def require_served() -> None:
    """Raise DatabaseNotLoaded unless `recognizer` will return one; never waits."""
    _registry.require_served()


def recognizer() -> Recognizer:
    """Return what this process identifies with; raises DatabaseNotLoaded.

    Waits a while where that was unloaded for want of work, so call it where few
    threads come at once: in a slot of the queue.
    """
    return _registry.recognizer()


def state() -> RegistryState:
    """Return what this process serves, without waiting."""
    return _registry.state()
