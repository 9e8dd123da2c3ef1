"""What a process serves, and how it follows the active release."""

import os
import socket
import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from dbupdates.models import DatabaseRelease
from recognition import registry
from recognition.exceptions import DatabaseNotLoaded, ModelsNotInstalled
from recognition.loading import load_recognizer
from recognition.models import ServingProcess
from recognition.registry import Registry
from recognition.runtime.providers import choose_execution_plan
from stashsense.tests.waiting import BOUND_SECONDS, wait_until


def test_without_a_release_the_reason_says_what_to_do(watching):
    with pytest.raises(DatabaseNotLoaded, match="import_release"):
        watching.recognizer()


def test_a_release_that_becomes_active_is_loaded_and_the_process_says_so(
    watching, small_world
):
    small_world.activate()

    wait_until(lambda: watching.state().serving is not None)
    assert watching.recognizer().database.version == small_world.release.version
    wait_until(lambda: ServingProcess.objects.exclude(release_version="").exists())
    row = ServingProcess.objects.get()
    assert (row.pid, row.release_version) == (os.getpid(), small_world.release.version)
    assert row.device
    assert row.memory_bytes > 10_000_000

    watching.stop()

    assert not ServingProcess.objects.exists()


def test_a_release_whose_networks_are_missing_is_not_served_and_the_row_says_why(
    watching, small_world, settings, tmp_path
):
    settings.MODELS_DIR = tmp_path
    small_world.activate()

    wait_until(lambda: watching.state().failure is not None)
    assert watching.state().failure.code == "models_not_installed"
    with pytest.raises(DatabaseNotLoaded, match=r"facenet512\.onnx"):
        watching.recognizer()
    wait_until(lambda: ServingProcess.objects.exclude(problem="").exists())


def test_networks_that_are_installed_later_are_noticed(
    watching, small_world, settings, tmp_path, monkeypatch
):
    settings.MODELS_DIR = tmp_path
    small_world.activate()
    wait_until(lambda: watching.state().failure is not None)

    monkeypatch.setattr(registry, "RETRY_SECONDS", 0)
    settings.MODELS_DIR = small_world.data_dir / "models"

    wait_until(lambda: watching.state().serving is not None)
    assert watching.state().failure is None


def test_what_is_served_stays_served_while_the_next_release_cannot_be_loaded(
    watching, small_world
):
    first = small_world.activate()
    wait_until(lambda: watching.state().serving is not None)
    before = watching.recognizer()

    with transaction.atomic():
        DatabaseRelease.objects.filter(pk=first.pk).update(status="retired")
        DatabaseRelease.objects.create(
            version="2026.04.01",
            status="active",
            network_set=first.network_set,
            network_files=first.network_files,
        )

    wait_until(lambda: watching.state().failure is not None)
    assert watching.recognizer() is before
    assert watching.state().failure.release.version == "2026.04.01"


def test_a_fault_that_nobody_foresaw_does_not_end_the_watch(
    watching, small_world, monkeypatch
):
    monkeypatch.setattr(registry, "FAULT_SECONDS", 0.02)
    seen = threading.Event()

    def out_of_threads(self):
        seen.set()
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", out_of_threads)
        small_world.activate()
        assert seen.wait(BOUND_SECONDS)

    wait_until(lambda: watching.state().serving is not None)


def test_rows_of_machines_that_are_no_more_are_removed_at_start(
    transactional_db, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    for name, hours in (("gone", 2), ("other", 0)):
        ServingProcess.objects.create(
            host=name,
            pid=7,
            started_at=timezone.now(),
            heartbeat_at=timezone.now() - timedelta(hours=hours),
        )
    watched = Registry()
    watched.start()

    wait_until(lambda: not ServingProcess.objects.filter(host="gone").exists())

    assert ServingProcess.objects.filter(host="other").exists()
    watched.stop()


def test_rows_of_processes_that_died_are_removed_at_start(
    transactional_db, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    dead = ServingProcess(
        host=socket.gethostname(),
        pid=2**22 + 1,
        started_at=timezone.now(),
        heartbeat_at=timezone.now(),
    )
    dead.save()
    watched = Registry()
    watched.start()

    wait_until(lambda: not ServingProcess.objects.filter(pid=dead.pid).exists())

    watched.stop()


def test_changed_networks_are_refused(small_world, settings, tmp_path):
    settings.MODELS_DIR = tmp_path
    for name in small_world.release.network_files:
        target = tmp_path / small_world.release.network_set / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"something else")

    with pytest.raises(ModelsNotInstalled, match="expected sha256"):
        load_recognizer(small_world.release, choose_execution_plan("cpu"))
