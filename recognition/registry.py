"""The one process-level registry: what this process serves, and how it is replaced.

A watcher thread looks four times a second at which release is active and loads it
beside the one served; then one reference changes. A picture in work keeps the
recognizer it began with. Where memory cannot hold two, what is served goes first, and
requests are sent away meanwhile. The watcher also writes this process's row, by which
an update learns that the process has followed, and people what it serves.
"""

import logging
import os
import socket
import threading
import time
import weakref
from dataclasses import dataclass
from datetime import timedelta

import psutil
from django.db import DatabaseError, connection
from django.utils import timezone

from dbupdates.store import ActiveRelease, active_release
from recognition.exceptions import DatabaseNotLoaded, DatabaseUpdating
from recognition.loading import execution_plan, load_recognizer, must_unload_first
from recognition.models import ServingProcess, ServingProcessQuerySet
from recognition.runtime.memory import release_unused_memory
from recognition.runtime.networks import Networks
from recognition.runtime.providers import ExecutionPlan
from recognition.runtime.recognizer import Recognizer
from stashsense.exceptions import StashSenseError
from stashsense.memory import available_memory_bytes

logger = logging.getLogger(__name__)

# A query of one row; a swap waits for half of it on average.
POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 5.0
FORGET_AFTER = timedelta(hours=1)
# After a failed load: the cause may be a file that somebody is putting in its place.
RETRY_SECONDS = 30.0
STOP_SECONDS = 3.0
# After a fault that nobody foresaw, lest the log fills up.
FAULT_SECONDS = 5.0
# How long requests in work may keep a release that is to be unloaded.
LETTING_GO_SECONDS = 5.0
LETTING_GO_POLL_SECONDS = 0.02

NO_ACTIVE_RELEASE = (
    "No release is active: import one with manage.py import_release PATH --activate."
)


@dataclass(frozen=True)
class Serving:
    """A release that is being served, and by what."""

    release: ActiveRelease
    recognizer: Recognizer


@dataclass(frozen=True)
class LoadFailure:
    """Why a release could not be loaded, and when that was found (monotonic)."""

    release: ActiveRelease
    code: str
    message: str
    failed_at: float


@dataclass(frozen=True)
class RegistryState:
    """What the registry holds at one moment."""

    serving: Serving | None
    is_loading: bool
    failure: LoadFailure | None
    plan: ExecutionPlan | None


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
        self._stopping = threading.Event()
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
        self._plan = execution_plan()
        self._serving = Serving(active, load_recognizer(active, self._plan))

    def serve(self, serving: Serving | None) -> None:
        """Serve this and nothing else: the back door of tests."""
        self._serving = serving
        self._failure = None

    def recognizer(self) -> Recognizer:
        """Return what to identify with; raises DatabaseNotLoaded with the reason."""
        if (serving := self._serving) is not None:
            return serving.recognizer
        if self._is_changing_over:
            raise DatabaseUpdating("Database update in progress")
        if (failure := self._failure) is not None:
            raise DatabaseNotLoaded(
                f"Release {failure.release.version} is not served: {failure.message}"
            )
        raise DatabaseNotLoaded(
            "The database is being loaded."
            if self._loader is not None
            else NO_ACTIVE_RELEASE
        )

    def state(self) -> RegistryState:
        """Return what is held now, without waiting for anything."""
        return RegistryState(
            serving=self._serving,
            is_loading=self._loader is not None,
            failure=self._failure,
            plan=self._plan,
        )

    def _watch(self) -> None:
        try:
            self._forget_the_dead()
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
            self._row().delete()
        finally:
            connection.close()

    def _look(self) -> None:
        active = active_release()
        if self._failure is not None and self._failure.release != active:
            self._failure = None
            # Or the next attempt to swap this release in would read of this one.
            self._next_heartbeat = 0.0
        if self._loader is None:
            if active is None:
                self._stop_serving()
            elif self._should_load(active):
                self._loader = threading.Thread(
                    target=self._load, args=[active], name="loader", daemon=True
                )
                try:
                    self._loader.start()
                except RuntimeError:
                    # No thread to be had now: nobody is loading.
                    self._loader = None
                    raise
                self._next_heartbeat = 0.0
        if time.monotonic() >= self._next_heartbeat:
            # First: a load that ends while the row is written wants another.
            self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
            release_unused_memory()
            self._write_row()

    def _stop_serving(self) -> None:
        self._is_changing_over = False
        if (serving := self._serving) is not None:
            self._serving = None
            self._next_heartbeat = 0.0
            logger.info("No release is active; %s goes", serving.release.version)

    def _should_load(self, active: ActiveRelease) -> bool:
        if self._serving is not None and self._serving.release == active:
            return False
        failure = self._failure
        return failure is None or time.monotonic() - failure.failed_at >= RETRY_SECONDS

    def _load(self, release: ActiveRelease) -> None:
        try:
            self._change_over(release)
        except StashSenseError as error:
            logger.error("Cannot serve release %s: %s", release.version, error)
            self._fail(release, error.code, str(error))
        except Exception as error:
            logger.exception("Cannot serve release %s", release.version)
            self._fail(release, "error", type(error).__name__)
            raise
        finally:
            connection.close()
            # Before the row is asked for, which is to say that the load has ended.
            self._loader = None
            self._next_heartbeat = 0.0
            self._wake.set()

    def _fail(self, release: ActiveRelease, code: str, message: str) -> None:
        self._failure = LoadFailure(release, code, message, time.monotonic())
        self._is_changing_over = False

    def _change_over(self, release: ActiveRelease) -> None:
        """Load the release and put it in place, if it is still the active one."""
        started = time.monotonic()
        self._plan = execution_plan()
        networks = self._networks_of(release)
        unloads_first = self._serving is not None and must_unload_first(
            release, opens_networks=networks is None
        )
        if unloads_first:
            self._is_changing_over = True
            self._unload()
        recognizer = load_recognizer(release, self._plan, networks=networks)
        if active_release() != release:
            # If it was unloaded for, the change-over goes on with the one that is.
            logger.info("Release %s is not active any more", release.version)
            return
        self._has_unloaded_first = unloads_first
        self._serving = Serving(release, recognizer)
        self._is_changing_over = False
        self._failure = None
        release_unused_memory()
        seconds = time.monotonic() - started
        logger.info("Serving release %s after %.1f s", release.version, seconds)

    def _networks_of(self, release: ActiveRelease) -> Networks | None:
        """Return the open networks if the release needs the very same."""
        serving = self._serving
        if serving is None:
            return None
        served = serving.release
        is_same = (served.network_set, served.network_files) == (
            release.network_set,
            release.network_files,
        )
        return serving.recognizer.networks if is_same else None

    def _unload(self) -> None:
        """Let go of what is served and wait until requests in work have, too."""
        serving, self._serving = self._serving, None
        assert serving is not None
        logger.info("Unloading release %s first", serving.release.version)
        database = weakref.ref(serving.recognizer.database)
        del serving
        until = time.monotonic() + LETTING_GO_SECONDS
        while database() is not None and time.monotonic() < until:
            if self._stopping.wait(LETTING_GO_POLL_SECONDS):
                break
        release_unused_memory()

    def _forget_the_dead(self) -> None:
        """Remove rows of processes that ended without doing so.

        Of this machine those that are no more; of others, such as containers that were
        made anew, those not heard of for long. One that lives writes its row again.
        """
        long_ago = timezone.now() - FORGET_AFTER
        ServingProcess.objects.filter(heartbeat_at__lt=long_ago).delete()
        rows = ServingProcess.objects.filter(host=socket.gethostname())
        dead = [
            pid
            for pid in rows.values_list("pid", flat=True)
            if not psutil.pid_exists(pid)
        ]
        rows.filter(pid__in=dead).delete()

    def _row(self) -> ServingProcessQuerySet:
        return ServingProcess.objects.filter(host=socket.gethostname(), pid=os.getpid())

    def _write_row(self) -> None:
        state = self.state()
        release = state.serving.release if state.serving else None
        plan = state.plan
        ServingProcess.objects.update_or_create(
            host=socket.gethostname(),
            pid=os.getpid(),
            defaults={
                "release_version": release.version if release else "",
                "network_set": release.network_set if release else "",
                "is_loading": state.is_loading,
                "failed_version": (
                    state.failure.release.version if state.failure else ""
                ),
                "problem": state.failure.message if state.failure else "",
                "has_unloaded_first": self._has_unloaded_first,
                "device": plan.device if plan else "",
                "execution_provider": plan.provider if plan else "",
                "device_reason": plan.reason if plan else "",
                "memory_bytes": psutil.Process().memory_info().rss,
                "available_memory_bytes": available_memory_bytes(),
                "started_at": self._started_at,
                "heartbeat_at": timezone.now(),
            },
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


def recognizer() -> Recognizer:
    """Return what this process identifies with; raises DatabaseNotLoaded."""
    return _registry.recognizer()


def state() -> RegistryState:
    """Return what this process serves, without waiting."""
    return _registry.state()
