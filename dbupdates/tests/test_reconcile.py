"""What a start, and a replaced process, set right."""

import errno
import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from dbupdates import runs, store, tasks
from dbupdates.execution import execute_run
from dbupdates.liveness import SILENT_AFTER
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import CANCELLABLE, Phase
from dbupdates.reconcile import go_on_with_dead_run, reconcile
from dbupdates.services import import_release
from dbupdates.tests.conftest import ASKER, IMPATIENT, Killed, names_in
from dbupdates.tests.updating import (
    NEW,
    OLD,
    active_version,
    log_of,
    update,
    work_at_queue,
)
from dbupdates.updates import request_import, request_update
from stashsense import data_folder, hosts


@pytest.fixture
def builder(large_builder):
    return large_builder


def tell_nobody(_sentence):
    pass


WORKING = [phase for phase in CANCELLABLE if phase != Phase.QUEUED]


@pytest.mark.parametrize("phase", [*WORKING, Phase.SWAPPING, Phase.RELOADING])
def test_a_run_whose_process_is_replaced_goes_on_once(
    preparing, world, published, die, phase
):
    run = die(request_update(asker=ASKER), phase)
    OrmQ.objects.all().delete()

    go_on_with_dead_run()
    go_on_with_dead_run()
    work_at_queue()

    run.refresh_from_db()
    assert (run.phase, run.attempt_count) == (Phase.COMPLETE, 2)
    assert f"died while {phase}" in log_of(run)
    assert active_version() == NEW
    assert names_in(world.data_dir / "staging") == []


def test_after_two_deaths_a_run_is_failed_and_left_alone(world, published, die):
    run = die(request_update(asker=ASKER), Phase.DOWNLOADING)
    die(run, Phase.DOWNLOADING)

    go_on_with_dead_run()
    work_at_queue()

    run.refresh_from_db()
    assert run.phase == Phase.FAILED
    assert "died 2 times, the last time while downloading" in run.error
    assert run.is_resumable
    assert active_version() == OLD
    go_on_with_dead_run()
    assert not OrmQ.objects.exists()
    # A person may try again.
    assert update().phase == Phase.COMPLETE


def test_a_second_delivery_of_a_living_run_does_nothing(world, published, caplog):
    run = request_update(asker=ASKER)

    with store.run_folder(run.job_id):
        execute_run(run.pk)
        go_on_with_dead_run()

    run.refresh_from_db()
    assert (run.phase, run.attempt_count) == (Phase.QUEUED, 0)
    assert "delivered a second time" in caplog.text
    assert OrmQ.objects.count() == 1


def test_a_second_delivery_of_a_run_that_has_ended_does_nothing(world, published):
    run = update()
    before = UpdateRun.objects.values().get()

    tasks.run_update(run.pk)

    assert UpdateRun.objects.values().get() == before


def test_a_delivery_of_a_run_that_is_gone_does_nothing(world):
    tasks.run_update(4711)


def test_a_run_that_nobody_had_begun_is_asked_for_again(world, published):
    run = request_update(asker=ASKER)
    # Its worker died with the task in its hands.
    OrmQ.objects.all().delete()

    go_on_with_dead_run()
    work_at_queue()

    run.refresh_from_db()
    assert run.phase == Phase.COMPLETE


@pytest.mark.parametrize("phase", WORKING)
def test_a_start_fails_what_was_cut_off_and_offers_to_go_on(
    preparing, world, published, die, phase
):
    run = die(request_update(asker=ASKER), phase)
    OrmQ.objects.all().delete()
    told: list[str] = []

    reconcile(told.append)

    run.refresh_from_db()
    assert (run.phase, run.error_code) == (Phase.FAILED, "update_interrupted")
    assert run.is_resumable
    assert not OrmQ.objects.exists()
    assert active_version() == OLD
    assert any(f"downloaded of release {NEW} is kept" in line for line in told)
    assert update().phase == Phase.COMPLETE
    assert names_in(world.data_dir / "staging") == []


@pytest.mark.parametrize("phase", [Phase.SWAPPING, Phase.RELOADING])
def test_a_start_finishes_a_swap_that_had_begun(world, published, die, phase):
    run = die(request_update(asker=ASKER), phase)
    OrmQ.objects.all().delete()

    reconcile(tell_nobody)
    work_at_queue()

    run.refresh_from_db()
    assert run.phase == Phase.COMPLETE
    assert active_version() == NEW


def test_a_start_leaves_a_living_run_alone(world, published):
    run = request_update(asker=ASKER)
    UpdateRun.objects.update(phase=Phase.DOWNLOADING)

    with store.run_folder(run.job_id):
        reconcile(tell_nobody)

    run.refresh_from_db()
    assert run.phase == Phase.DOWNLOADING


def test_a_start_leaves_a_run_of_another_host_alone_while_that_lives(world, published):
    run = request_update(asker=ASKER)
    work = UpdateRun.objects.filter(pk=run.pk)
    work.update(
        phase=Phase.DOWNLOADING, host_id="elsewhere", heartbeat_at=timezone.now()
    )

    call_command("prepare", "--no-demo")
    while_alive = work.get().phase
    work.update(heartbeat_at=timezone.now() - 2 * SILENT_AFTER)
    call_command("prepare", "--no-demo")

    assert (while_alive, work.get().phase) == (Phase.DOWNLOADING, Phase.FAILED)


def test_a_start_finishes_a_swap_of_another_host_that_died(world, published, die):
    run = die(request_update(asker=ASKER), Phase.RELOADING)
    OrmQ.objects.all().delete()
    UpdateRun.objects.update(
        host_id="elsewhere", heartbeat_at=timezone.now() - 2 * SILENT_AFTER
    )

    reconcile(tell_nobody)
    work_at_queue()

    run.refresh_from_db()
    assert run.phase == Phase.COMPLETE
    assert active_version() == NEW


def test_what_is_asked_of_rows_without_django_is_what_is_in_them(world, published):
    update()
    request_import(world.data_dir / "no.zip", asker=ASKER, is_activating=False)

    with connection.cursor() as cursor:
        cursor.execute(data_folder._INSTALLED)
        installed = {name for (name,) in cursor.fetchall()}
        cursor.execute(data_folder._UNENDED)
        unended = cursor.fetchone()

    assert installed == {OLD, NEW} == set(store.folders_on_disk())
    assert unended == (1,)
    assert {*DatabaseRelease.INSTALLED} == {"staged", "active", "retired"}


def test_a_dead_run_that_was_to_be_cancelled_is(world, published, die):
    run = die(request_update(asker=ASKER), Phase.DOWNLOADING)
    UpdateRun.objects.update(is_cancel_asked=True)

    reconcile(tell_nobody)

    run.refresh_from_db()
    assert run.phase == Phase.CANCELLED
    assert names_in(world.data_dir / "staging") == []


def test_a_dead_run_does_not_stand_in_the_way_of_the_next(world, published, die):
    dead = die(request_update(asker=ASKER), Phase.EXTRACTING)

    run = update()

    dead.refresh_from_db()
    assert (dead.phase, run.phase) == (Phase.FAILED, Phase.COMPLETE)
    assert names_in(world.data_dir / "staging") == []


def test_a_dead_run_is_cancelled_at_once(world, published, die):
    run = die(request_update(asker=ASKER), Phase.DOWNLOADING)

    runs.cancel_run(run, asker=ASKER)

    run.refresh_from_db()
    assert run.phase == Phase.CANCELLED
    assert names_in(world.data_dir / "staging") == []


def test_one_download_to_go_on_from_is_kept_and_no_more(world, published, die):
    first = die(request_update(asker=ASKER), Phase.DOWNLOADING)
    reconcile(tell_nobody)
    other = UpdateRun.objects.create(
        kind="download", version="2026.01.15", asked_by="api", phase=Phase.DOWNLOADING
    )
    (world.data_dir / "staging" / f"update-{other.job_id}").mkdir()
    for name in ("archive.zip", "archive.json"):
        (world.data_dir / "staging" / f"update-{other.job_id}" / name).touch()

    reconcile(tell_nobody)

    # The newer of the two.
    assert names_in(world.data_dir / "staging") == [f"update-{other.job_id}"]
    first.refresh_from_db()
    assert first.phase == Phase.FAILED


def test_a_download_of_what_is_installed_meanwhile_is_dropped(
    world, published, die, archive
):
    interrupted = die(request_update(asker=ASKER), Phase.DOWNLOADING)
    reconcile(tell_nobody)
    import_release(archive)

    run = update()

    assert (run.kind, run.phase) == ("activation", Phase.COMPLETE)
    assert names_in(world.data_dir / "staging") == []
    interrupted.refresh_from_db()
    assert not interrupted.is_resumable


def test_a_run_that_died_with_its_release_installed_leaves_no_download(
    world, published, die, monkeypatch
):
    real = runs.RunningUpdate.update

    def die_after_installing(running, **facts):
        real(running, **facts)
        if "fetched_bytes" in facts and DatabaseRelease.objects.installed().count() > 1:
            raise Killed

    run = request_update(asker=ASKER)
    with monkeypatch.context() as patch:
        patch.setattr(runs.RunningUpdate, "update", die_after_installing)
        patch.setattr("dbupdates.execution._fail", lambda *_: None)
        with pytest.raises(Killed):
            execute_run(run.pk, patience=IMPATIENT)
    assert names_in(world.data_dir / "releases") == [OLD, NEW]

    reconcile(tell_nobody)

    run.refresh_from_db()
    assert (run.phase, run.is_resumable) == (Phase.FAILED, False)
    assert names_in(world.data_dir / "staging") == []


def test_folders_that_nothing_vouches_for_are_removed(world, published):
    update()
    DatabaseRelease.objects.filter(version=OLD).update(status="purged")
    (world.data_dir / "staging" / "import-abc" / "release").mkdir(parents=True)
    (world.data_dir / "staging" / "removed-abc").mkdir()
    (world.data_dir / "staging" / "update-0123456789ab").mkdir()
    told: list[str] = []

    reconcile(told.append)

    assert names_in(world.data_dir / "staging") == []
    assert names_in(world.data_dir / "releases") == [NEW]
    assert len(told) == 4
    assert active_version() == NEW


def test_files_that_are_gone_are_told_of_and_the_active_row_stays(world, published):
    update()
    store.remove(OLD)
    told: list[str] = []

    reconcile(told.append)

    status = DatabaseRelease.objects.get(version=OLD).status
    if hosts.are_many():
        # They may be on another one.
        assert (told, status) == ([], "retired")
    else:
        assert told == [f"The files of release {OLD} are gone."]
        assert status == "purged"

    store.remove(NEW)
    told.clear()
    reconcile(told.append)

    assert told == [f"The files of release {NEW}, which is active, are gone."]
    assert active_version() == NEW


@pytest.fixture
def unremovable(monkeypatch):
    """Have what lies below these paths belong to somebody else."""
    paths: list[Path] = []
    real_unlink, real_rmdir = os.unlink, os.rmdir

    def refuse_ours(real):
        def remove(name, *args, dir_fd=None, **options):
            folder = Path(f"/proc/self/fd/{dir_fd}").resolve() if dir_fd else Path()
            path = folder / name
            if any(path.is_relative_to(each) for each in paths):
                raise PermissionError(errno.EPERM, "not yours", str(path))
            real(name, *args, dir_fd=dir_fd, **options)

        return remove

    monkeypatch.setattr(os, "unlink", refuse_ours(real_unlink))
    monkeypatch.setattr(os, "rmdir", refuse_ours(real_rmdir))
    return paths


def test_what_cannot_be_removed_is_told_of_and_the_rest_is_done(
    world, published, unremovable
):
    update()
    staging_dir = world.data_dir / "staging"
    for name in ("import-abc", "removed-abc", "update-0123456789ab"):
        (staging_dir / name).mkdir()
        (staging_dir / name / "faces.json").touch()
    unremovable += [staging_dir / "import-abc", staging_dir / "update-0123456789ab"]
    told: list[str] = []

    reconcile(told.append)

    assert names_in(staging_dir) == ["import-abc", "update-0123456789ab"]
    assert [line for line in told if "cannot be removed" in line] == [
        told[0],
        "What run 0123456789ab had left cannot be removed.",
    ]
    assert "staging/import-abc cannot be removed" in told[0]
    assert active_version() == NEW


def test_what_cannot_be_removed_does_not_stop_updates(world, published, unremovable):
    (world.data_dir / "staging" / "import-abc").mkdir(parents=True)
    (world.data_dir / "staging" / "import-abc" / "faces.json").touch()
    unremovable += [world.data_dir / "staging" / "import-abc"]

    assert update().phase == Phase.COMPLETE
    assert active_version() == NEW


def test_files_of_a_purged_release_that_cannot_be_removed_are_told_of(
    world, published, unremovable
):
    update()
    DatabaseRelease.objects.filter(version=OLD).update(status="purged")
    unremovable += [world.data_dir / "staging"]
    told: list[str] = []

    reconcile(told.append)

    [line] = told
    assert f"release {OLD}, which is purged, cannot be removed" in line
    assert active_version() == NEW


def test_a_start_goes_on_without_a_folder_for_staging(world, published):
    run = request_update(asker=ASKER)
    staging_dir = world.data_dir / "staging"
    staging_dir.write_bytes(b"in the way")
    told: list[str] = []

    reconcile(told.append)
    go_on_with_dead_run()

    assert "Something was not set right" in told[0]
    run.refresh_from_db()
    assert run.phase == Phase.QUEUED
    assert active_version() == OLD


def test_when_all_is_well_nothing_is_said_and_nothing_done(world, published):
    update()
    before = world.state()
    told: list[str] = []

    reconcile(told.append)

    assert told == []
    assert world.state() == before
